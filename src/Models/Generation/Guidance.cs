namespace MLComponents.Models;

/// <summary>
/// Moves scores away from those of other texts: log probabilities become <c>scale · (log p − log q) + log q</c>, with q those of the other text. Ho and Salimans
/// 2022, "Classifier-Free Diffusion Guidance"; Sanchez et al. 2023, "Stay on Topic with Classifier-Free Guidance".
/// </summary>
internal sealed class Guidance : IDisposable
{
    private readonly IDecodingBatch _batch;
    private readonly float[] _logits;
    private readonly int _vocabularySize;
    private readonly double _scale;

    private Guidance(IDecodingBatch batch, int rows, int vocabularySize, double scale) =>
        (_batch, _logits, _vocabularySize, _scale) = (batch, new float[rows * vocabularySize], vocabularySize, scale);

    /// <summary>Begins with the other texts: those that the call names, else the last token of each prompt.</summary>
    /// <returns>Null where the call wants no guidance.</returns>
    public static Guidance? Begin(GenerationCall call)
    {
        if (call.Settings.GuidanceScale == 1) return null;
        Prompts prompts = call.Prompts;
        if (prompts.Length == 0) throw new ArgumentException("GuidanceScale goes with prompts that are given as ids.", nameof(call));
        Prompts others;
        if (call.Input.NegativePromptIds is { } given)
        {
            if (given.Count != prompts.Count)
                throw new ArgumentException($"There are {given.Count} negative prompts for {prompts.Count} prompts; expected one for each.", nameof(call));
            others = Prompts.Of(given, call.Input.NegativePromptAttentionMask, call.VocabularySize, call.Settings.PadId, null, nameof(GenerationInput.NegativePromptIds));
        }
        else
        {
            int[][] last = [.. Enumerable.Range(0, prompts.Count).Select(prompt => prompts.Padded(prompt)[^1..].ToArray())];
            others = Prompts.Of(last, null, call.VocabularySize, call.Settings.PadId, null, nameof(GenerationInput.InputIds));
        }

        int rows = prompts.Count * Math.Max(call.Settings.BeamCount, call.Settings.SequenceCount);
        var guidance = new Guidance(call.NewBatch(prompts.Count, canForget: false), rows, call.VocabularySize, call.Settings.GuidanceScale);
        try
        {
            GenerationCall.Read(guidance._batch, [.. Enumerable.Range(0, prompts.Count).Select(others.Ids)], guidance._logits);
            return guidance;
        }
        catch
        {
            guidance.Dispose();
            throw;
        }
    }

    /// <summary>Changes the scores of a row.</summary>
    public void Apply(int row, Span<float> scores)
    {
        Span<float> others = _logits.AsSpan(row * _vocabularySize, _vocabularySize);
        ScoreMath.LogSoftmax(scores);
        double logSum = ScoreMath.LogSum(others);
        for (int id = 0; id < scores.Length; id++)
        {
            float other = (float)(others[id] - logSum);
            scores[id] = (float)((_scale * (scores[id] - other)) + other);
        }
    }

    /// <summary>As <see cref="IDecodingBatch.Select"/>: the logits change their places, too.</summary>
    public void Select(ReadOnlySpan<int> rows)
    {
        _batch.Select(rows);
        float[] before = [.. _logits];
        for (int row = 0; row < rows.Length; row++)
            before.AsSpan(rows[row] * _vocabularySize, _vocabularySize).CopyTo(_logits.AsSpan(row * _vocabularySize));
    }

    /// <summary>The other texts go on with the same tokens.</summary>
    public void Read(int[][] tokens) => GenerationCall.Read(_batch, tokens, _logits.AsSpan(0, tokens.Length * _vocabularySize));

    /// <inheritdoc/>
    public void Dispose() => _batch.Dispose();
}
