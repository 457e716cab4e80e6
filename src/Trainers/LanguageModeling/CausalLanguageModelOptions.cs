using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>How a causal language model is trained on texts, and how it measures texts afterwards.</summary>
/// <remarks><see cref="FineTuningOptions.BatchSize"/> counts texts, or parts of texts that are longer than <see cref="FineTuningOptions.MaxLength"/>.</remarks>
public sealed class CausalLanguageModelOptions : FineTuningOptions
{
    private static readonly ValidationMetric[] s_metrics = [ValidationMetric.LogLoss];

    /// <summary>Made with <see cref="MLComponents.Transforms.TruncationSide.Start"/>: of what is too long the end, which is learnt, is kept.</summary>
    public CausalLanguageModelOptions() => TruncationSide = TruncationSide.Start;

    /// <summary>The text column that stands before the text and is read, but not learnt. <see langword="null"/> (the default): none.</summary>
    public string? PromptColumnName { get; set; }

    /// <summary>What of the text is learnt, and whether the model's chat template writes it. Default <see cref="LearnedText.Text"/>.</summary>
    public LearnedText Learned { get; set; }

    /// <summary>Whether a text is followed by the token that ends texts, so that the model learns to end. Default <see langword="true"/>; of no consequence where a chat template writes the text.</summary>
    public bool EndOfText { get; set; } = true;

    /// <summary>The part of a token's probability, from 0 to below 1, that is spread over the whole vocabulary. Default 0.</summary>
    public double LabelSmoothing { get; set; }

    internal override IReadOnlyList<ValidationMetric> Metrics => s_metrics;

    internal override CausalLanguageModelOptions Copy() => (CausalLanguageModelOptions)base.Copy();

    internal override void Check()
    {
        base.Check();
        Require(MaxLength is null or >= 2, nameof(MaxLength), MaxLength, "at least 2, or null");
        Require(LabelSmoothing is >= 0 and < 1, nameof(LabelSmoothing), LabelSmoothing, "0 to below 1");
    }
}
