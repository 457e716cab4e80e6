using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using ITextBatchScorer = MLComponents.Transforms.IBatchScorer<MLComponents.Transforms.LanguageText, MLComponents.Transforms.LanguageRow, MLComponents.Transforms.TextLikelihood>;

namespace MLComponents.Transforms;

/// <summary>A causal language model that measures how likely it finds texts; what fine-tuning one gives.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Type and content</description></listheader>
/// <item><term>LogLikelihood</term><description><see langword="float"/>, the sum of the log-probabilities of the text's tokens given those before them, in nats</description></item>
/// <item><term>TokenCount</term><description><see langword="int"/>, how many tokens were measured: all but the first of a text, those of the answer where there is a prompt</description></item>
/// <item><term>Perplexity</term><description><see langword="float"/>, e to the mean negative log-likelihood of a token; NaN where none was measured</description></item>
/// </list>
/// A text of more tokens than the model may read is read in parts, each with the last quarter of the one before for context. Rows are read
/// ahead and served in their own order; several cursors may be open at once. Disposing the transformer frees the model, after which its views throw
/// <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class CausalLanguageModelTransformer : DecoderTransformer<CausalLanguageModel>, ITextBatchScorer, IStoredTransformer<CausalLanguageModelTransformer>
{
    internal const string LoaderSignature = "MLCLanguageModel";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCLANGM", 0x00010001, 0x00010001, 0x00010001, LoaderSignature);

    /// <summary>Wraps a scorer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="settings">Columns and batches; copied.</param>
    internal CausalLanguageModelTransformer(IHostEnvironment env, LanguageModelScorer scorer, TextLikelihoodSettings settings)
        : base(env, scorer, settings, Format) => Scorer = scorer;

    internal LanguageModelScorer Scorer { get; }

    internal TextLikelihoodSettings Settings => (TextLikelihoodSettings)Running;

    LanguageRow ITextBatchScorer.Encode(LanguageText input) => Scorer.Encoder.Encode(input);

    float[][] ITextBatchScorer.Forward(IReadOnlyList<int[]> sequences) => InTurn(() => Scorer.Forward(sequences));

    TextLikelihood ITextBatchScorer.Combine(LanguageRow row, ReadOnlySpan<float[]> outputs)
    {
        double sum = 0;
        int tokens = 0;
        for (int part = 0; part < row.Parts.Length; part++)
        {
            for (int token = 0; token < row.Parts[part].Ids.Length; token++)
            {
                if (!row.Parts[part].Learned[token]) continue;
                sum += outputs[part][token];
                tokens++;
            }
        }

        return new TextLikelihood(sum, tokens);
    }

    void ITextBatchScorer.TellTruncated(long rows, long truncated) => Warn(
        "Scoring",
        $"{truncated} of {rows} texts of column '{Settings.TextColumnName}' had, with what stands before them, more than {Scorer.Encoder.MaxLength} tokens and were cut (TruncationSide {Settings.TruncationSide}). Raise MaxLength where the model's context allows it.");

    static MLNetInterop.ModelFormat IStoredTransformer<CausalLanguageModelTransformer>.Format => Format;

    static CausalLanguageModelTransformer IStoredTransformer<CausalLanguageModelTransformer>.Read(ModelSource source)
    {
        TextLikelihoodSettings settings = source.ReadSettings(TextLikelihoodSettings.Read);
        return ModelSource.Wrap(LanguageModelScorer.Read(source, settings), scorer => new CausalLanguageModelTransformer(source.Environment, scorer, settings));
    }

    private protected override void WriteSettings(BinaryWriter writer) => Settings.Write(writer);

    private protected override RowMap Bind(DataViewSchema input) => new TextLikelihoodMap(this, input);
}
