using Microsoft.ML.Runtime;

namespace MLComponents.Transforms;

/// <summary>Counts texts that were cut and tells the log, so that nothing is cut silently.</summary>
internal sealed class TruncationReport
{
    private int _told;

    public long Texts { get; private set; }

    public int Truncated { get; private set; }

    public void Count(bool truncated)
    {
        Texts++;
        if (truncated) Truncated++;
    }

    /// <summary>Writes one warning when more texts were cut than at the last one.</summary>
    public void Tell(SequenceClassificationTransformer transformer)
    {
        if (Truncated == _told) return;
        _told = Truncated;
        using IChannel channel = transformer.Host.Start("Scoring");
        channel.Warning(MessageSensitivity.Schema,
            "{0} of {1} texts of column '{2}' had more than {3} tokens and were cut (TruncationSide {4}). Raise MaxLength where the model's context allows it, or shorten values with FormatPrompt's limits.",
            Truncated, Texts, transformer.Settings.TextColumnName, transformer.Scorer.MaxLength, transformer.Settings.TruncationSide);
    }
}
