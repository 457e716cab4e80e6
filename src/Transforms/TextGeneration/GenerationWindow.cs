namespace MLComponents.Transforms;

/// <summary>
/// Rows of a window, encoded together when the first of them is asked for, whose texts are generated in their order, some at a time: when one ends, the next row
/// takes its place, so that the batch stays full up to the window's end.
/// </summary>
/// <param name="transformer">What generates.</param>
/// <param name="beginning">What the prompts begin with; see <see cref="PromptBeginning"/>.</param>
internal sealed class GenerationWindow(TextGenerationTransformer transformer, string beginning) : ReadAheadWindow<GenerationPrompt, GeneratedText>
{
    private readonly List<GenerationPrompt> _prompts = [];
    private readonly List<GeneratedText> _texts = [];
    private readonly TruncationReport _report = new(transformer.TellTruncated);
    private EncodedText[]? _encoded;
    private IEnumerator<GeneratedText>? _running;

    public override int Count => _prompts.Count;

    public override GeneratedText this[int row]
    {
        get
        {
            if (_encoded is null) Encode();
            while (_texts.Count <= row) _texts.Add(Next());
            return _texts[row];
        }
    }

    public override void Add(GenerationPrompt input) => _prompts.Add(input);

    public override void Clear()
    {
        _prompts.Clear();
        _texts.Clear();
        _encoded = null;
        Stop();
    }

    public override bool Tell() => _report.Tell();

    private void Encode()
    {
        transformer.CheckAlive();
        EncodedText[] encoded = RowEncoding.All(_prompts, transformer.Generator.Encode);
        foreach (EncodedText row in encoded) _report.Count(row.Truncated);
        _encoded = encoded;
    }

    private GeneratedText Next()
    {
        _running ??= transformer.Generate([.. _encoded!.Skip(_texts.Count).Select(row => row.Ids)], beginning).GetEnumerator();
        try
        {
            return transformer.Next(_running);
        }
        catch
        {
            Stop(); // who asks again begins again where this ended
            throw;
        }
    }

    private void Stop()
    {
        _running?.Dispose();
        _running = null;
    }
}
