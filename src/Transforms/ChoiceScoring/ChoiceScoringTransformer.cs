using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>Classifies texts, without training, by how likely a causal language model finds each of some choices after them.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Type and content; K is the number of choices</description></listheader>
/// <item><term>PredictedLabel</term><description>key with the choices as its values</description></item>
/// <item><term>Score</term><description><c>Vector&lt;Single, K&gt;</c> of probabilities that sum to 1</description></item>
/// <item><term>Probability</term><description><see langword="float"/>, the probability of the predicted choice</description></item>
/// <item><term><see cref="ChoiceScoringOptions.LogLikelihoodColumnName"/></term><description><c>Vector&lt;Single, K&gt;</c>, the log-likelihoods of the choices after the prompt, in nats</description></item>
/// </list>
/// The probabilities are the softmax of the log-likelihoods, from which those after the content-free prompt are taken off and which are then divided by a length, where
/// that is asked for. A prompt is read once for all choices, and what several choices begin with is read once, too. Rows are read ahead and served in their own order;
/// several cursors may be open at once. Disposing the transformer frees the model, after which its views throw <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class ChoiceScoringTransformer : DecoderTransformer<CausalLanguageModel>, IStoredTransformer<ChoiceScoringTransformer>
{
    internal const string LoaderSignature = "MLCChoiceScorer";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCCHOIC", 0x00010001, 0x00010001, 0x00010001, LoaderSignature);

    /// <summary>Wraps a scorer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="settings">Columns and options.</param>
    internal ChoiceScoringTransformer(IHostEnvironment env, ChoiceScorer scorer, ChoiceScoringSettings settings)
        : base(env, scorer, settings.Options, Format) => (Scorer, Settings) = (scorer, settings);

    /// <summary>The choices, in the order of the slots of the score.</summary>
    public IReadOnlyList<string> Choices => Settings.Choices;

    internal ChoiceScorer Scorer { get; }

    internal ChoiceScoringSettings Settings { get; }

    /// <summary>The log-likelihoods after prompts of a column whose texts begin alike.</summary>
    internal float[][] Forward(IReadOnlyList<int[]> prompts, string beginning) => InTurn(() => Scorer.Forward(prompts, beginning, CheckAlive));

    internal void TellTruncated(long rows, long truncated) => Warn(
        "Scoring",
        $"{truncated} of {rows} prompts of column '{Settings.InputColumnName}' had more than {Scorer.MaxPromptLength} tokens and were cut (TruncationSide {Settings.Options.TruncationSide}). Raise MaxPromptLength where the model's context allows it, or shorten values with FormatPrompt's limits.");

    static MLNetInterop.ModelFormat IStoredTransformer<ChoiceScoringTransformer>.Format => Format;

    static ChoiceScoringTransformer IStoredTransformer<ChoiceScoringTransformer>.Read(ModelSource source)
    {
        ChoiceScoringSettings settings = source.ReadSettings(ChoiceScoringSettings.Read);
        return ModelSource.Wrap(ChoiceScorer.Read(source, settings), scorer => new ChoiceScoringTransformer(source.Environment, scorer, settings));
    }

    private protected override void WriteSettings(BinaryWriter writer) => Settings.Write(writer);

    private protected override RowMap Bind(DataViewSchema input) => new ChoiceScoringMap(this, input);
}
