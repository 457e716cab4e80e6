using Google.Protobuf;

namespace MLComponents.Tokenization;

/// <summary>A SentencePiece model file: what is needed of the protocol buffer <c>sentencepiece.ModelProto</c>.</summary>
internal sealed class SentencePieceFile
{
    private const int Unigram = 1, Bpe = 2;

    private readonly string _file;

    /// <summary>Reads a file.</summary>
    /// <exception cref="FormatException">It is no such file.</exception>
    /// <exception cref="NotSupportedException">Its model is neither BPE nor Unigram.</exception>
    public SentencePieceFile(string file, byte[] content)
    {
        _file = file;
        try
        {
            ReadModel(new CodedInputStream(content));
        }
        catch (Exception problem) when (problem is InvalidProtocolBufferException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"{file} is no SentencePiece model: {problem.Message}", problem);
        }

        if (Pieces.Count == 0) throw new FormatException($"{file} has no pieces, so it is no SentencePiece model.");
        if (ModelType is not (Unigram or Bpe))
            throw new NotSupportedException($"{file} has the model type {ModelType}, which is not supported; supported: Unigram ({Unigram}), BPE ({Bpe}).");
    }

    /// <summary>Texts, scores and kinds, by id.</summary>
    public List<(string Text, float Score, SentencePieceKind Kind)> Pieces { get; } = [];

    /// <summary>Whether the model is BPE; else it is Unigram.</summary>
    public bool IsBpe => ModelType == Bpe;

    /// <summary>Whether unknown characters become bytes.</summary>
    public bool ByteFallback { get; private set; }

    /// <summary>The table of replacements; empty for none.</summary>
    public byte[] CharacterMap { get; private set; } = [];

    /// <summary>Whether a space is put in front.</summary>
    public bool AddDummyPrefix { get; private set; } = true;

    /// <summary>Whether spaces at the ends and further ones within are removed.</summary>
    public bool RemoveExtraWhitespaces { get; private set; } = true;

    /// <summary>Whether spaces are written as U+2581.</summary>
    public bool EscapeWhitespaces { get; private set; } = true;

    private int ModelType { get; set; } = Unigram;

    private static void ForEachField(CodedInputStream input, Func<int, bool> read)
    {
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
            if (!read(WireFormat.GetTagFieldNumber(tag))) input.SkipLastField();
    }

    private static CodedInputStream Inner(CodedInputStream input) => new(input.ReadBytes().ToByteArray());

    private void ReadModel(CodedInputStream input) => ForEachField(input, field =>
    {
        switch (field)
        {
            case 1: ReadPiece(Inner(input)); return true;
            case 2: ReadTrainer(Inner(input)); return true;
            case 3: ReadNormalizer(Inner(input)); return true;
            default: return false;
        }
    });

    private void ReadPiece(CodedInputStream input)
    {
        (string text, float score, SentencePieceKind kind) = ("", 0, SentencePieceKind.Normal);
        ForEachField(input, field =>
        {
            switch (field)
            {
                case 1: text = input.ReadString(); return true;
                case 2: score = input.ReadFloat(); return true;
                case 3: kind = (SentencePieceKind)input.ReadEnum(); return true;
                default: return false;
            }
        });
        if (!float.IsFinite(score)) throw new FormatException($"{_file}: the piece {Pieces.Count} '{text}' has the score {score}, which is no number.");
        if (!Enum.IsDefined(kind)) throw new FormatException($"{_file}: the piece {Pieces.Count} '{text}' is of the unknown kind {(int)kind}.");
        Pieces.Add((text, score, kind));
    }

    private void ReadTrainer(CodedInputStream input) => ForEachField(input, field =>
    {
        switch (field)
        {
            case 3: ModelType = input.ReadEnum(); return true;
            case 35: ByteFallback = input.ReadBool(); return true;
            default: return false;
        }
    });

    private void ReadNormalizer(CodedInputStream input) => ForEachField(input, field =>
    {
        switch (field)
        {
            case 2: CharacterMap = input.ReadBytes().ToByteArray(); return true;
            case 3: AddDummyPrefix = input.ReadBool(); return true;
            case 4: RemoveExtraWhitespaces = input.ReadBool(); return true;
            case 5: EscapeWhitespaces = input.ReadBool(); return true;
            default: return false;
        }
    });
}
