using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using ITextBatchScorer = MLComponents.Transforms.IBatchScorer<MLComponents.Transforms.TextInput, MLComponents.Transforms.EncodedText, float>;

namespace MLComponents.Transforms;

/// <summary>Gives the texts of a column a number with a decoder language model: adds the column Score, a <see langword="float"/>.</summary>
/// <remarks>
/// Rows are read ahead, scored in batches of like length and served in their own order; where nobody asks for the column, nothing is computed. Several cursors may be
/// open at once, on several threads; the model serves them in turn. Disposing the transformer frees the model.
/// </remarks>
public sealed class SequenceRegressionTransformer : DecoderTransformer<SequenceClassificationModel>, ITextBatchScorer, IStoredTransformer<SequenceRegressionTransformer>
{
    internal const string LoaderSignature = "MLCSequenceRegressor";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCSEQRG", SequenceClassificationSettings.Version, SequenceClassificationSettings.Version, SequenceClassificationSettings.OldestVersion, LoaderSignature);

    private readonly TextClassifier _scorer;

    /// <summary>Wraps a scorer with one output.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="settings">Columns and batches; copied.</param>
    internal SequenceRegressionTransformer(IHostEnvironment env, TextClassifier scorer, SequenceClassificationSettings settings)
        : base(env, scorer, settings, Format)
    {
        if (scorer.OutputCount != 1) throw new ArgumentException($"The model has {scorer.OutputCount} outputs; a regression has 1.", nameof(scorer));
        _scorer = scorer;
    }

    /// <summary>The text column that is read.</summary>
    public string TextColumnName => Settings.TextColumnName;

    /// <summary>The column of the second texts, where pairs are read; else null.</summary>
    public string? TextPairColumnName => Settings.TextPairColumnName;

    /// <summary>The column that is added.</summary>
    public string ScoreColumnName => Settings.ScoreColumnName;

    internal SequenceClassificationSettings Settings => (SequenceClassificationSettings)Running;

    EncodedText ITextBatchScorer.Encode(TextInput input) => _scorer.Encode(input);

    float[][] ITextBatchScorer.Forward(IReadOnlyList<int[]> sequences) => InTurn(() => _scorer.Forward(sequences));

    float ITextBatchScorer.Combine(EncodedText row, ReadOnlySpan<float[]> outputs) => outputs[0][0];

    void ITextBatchScorer.TellTruncated(long rows, long truncated) => Warn("Scoring", TextColumns.Truncated(rows, truncated, Settings, _scorer.MaxLength));

    static MLNetInterop.ModelFormat IStoredTransformer<SequenceRegressionTransformer>.Format => Format;

    static SequenceRegressionTransformer IStoredTransformer<SequenceRegressionTransformer>.Read(ModelSource source)
    {
        SequenceClassificationSettings settings = source.ReadSettings(reader => SequenceClassificationSettings.Read(reader, source.Version));
        return ModelSource.Wrap(TextClassifier.Read(source, settings), scorer => new SequenceRegressionTransformer(source.Environment, scorer, settings));
    }

    private protected override void WriteSettings(BinaryWriter writer) => Settings.Write(writer);

    private protected override RowMap Bind(DataViewSchema input) => new RegressionMap(this, input);
}
