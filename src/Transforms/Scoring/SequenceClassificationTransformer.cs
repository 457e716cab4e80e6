using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Tokenization;
using ITextBatchScorer = MLComponents.Transforms.IBatchScorer<MLComponents.Transforms.TextInput, MLComponents.Transforms.EncodedText, MLComponents.Transforms.Classification>;

namespace MLComponents.Transforms;

/// <summary>
/// Classifies the texts of a column with a decoder language model: adds the predicted label, the scores and a probability.
/// </summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Multi-class; binary; multi-label</description></listheader>
/// <item><term>PredictedLabel</term><description>key with the training labels as its values; <see langword="bool"/>; <c>Vector&lt;Boolean, labels&gt;</c>, what is more probable than not</description></item>
/// <item><term>Score</term><description><c>Vector&lt;Single, labels&gt;</c> of probabilities that sum to 1; <see langword="float"/>, the logit of <see langword="true"/>; <c>Vector&lt;Single, labels&gt;</c> of logits</description></item>
/// <item><term>Probability</term><description><see langword="float"/>, the probability of the predicted label; of <see langword="true"/>; <c>Vector&lt;Single, labels&gt;</c>, of each label</description></item>
/// </list>
/// Rows are read ahead, scored in batches of like length and served in their own order; columns that nobody asks for cost
/// nothing. Several cursors may be open at once, on several threads; the model serves them in turn. Disposing the transformer
/// frees the model, after which its views throw <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class SequenceClassificationTransformer : DecoderTransformer<SequenceClassificationModel>, ITextBatchScorer, IStoredTransformer<SequenceClassificationTransformer>
{
    internal const string LoaderSignature = "MLCSequenceClassifier";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCSEQCL", SequenceClassificationSettings.Version, SequenceClassificationSettings.Version, SequenceClassificationSettings.OldestVersion, LoaderSignature);

    /// <summary>Wraps a model and its tokenizer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="model">The model, where it is to run; owned by this transformer from now on.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="labels">What its outputs mean.</param>
    /// <param name="settings">Columns, lengths and batches; copied. Its device is of no consequence.</param>
    internal SequenceClassificationTransformer(IHostEnvironment env, SequenceClassificationModel model, PretrainedTokenizer tokenizer,
        ClassLabels labels, SequenceClassificationSettings settings)
        : this(env, new TextClassifier(model, tokenizer, settings.MaxLength, settings.TruncationSide), labels, settings)
    {
    }

    /// <summary>Wraps a scorer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="labels">What its outputs mean.</param>
    /// <param name="settings">Columns and batches; copied.</param>
    internal SequenceClassificationTransformer(IHostEnvironment env, ITextScorer scorer, ClassLabels labels, SequenceClassificationSettings settings)
        : base(env, scorer, settings, Format)
    {
        ArgumentNullException.ThrowIfNull(labels);
        bool fits = labels.IsBinary ? scorer.OutputCount is 1 or 2 : scorer.OutputCount == labels.Count;
        if (!fits)
            throw new ArgumentException($"The model has {scorer.OutputCount} outputs for {(labels.IsBinary ? "a Boolean label" : $"{labels.Count} labels")}; expected {(labels.IsBinary ? "1 or 2" : labels.Count)}.", nameof(scorer));
        (Scorer, Labels) = (scorer, labels);
    }

    /// <summary>The text column that is read.</summary>
    public string TextColumnName => Settings.TextColumnName;

    /// <summary>The column of the second texts, where pairs are read; else null.</summary>
    public string? TextPairColumnName => Settings.TextPairColumnName;

    /// <summary>The labels as text, in the order of the slots of the score; "false", "true" for a binary classifier.</summary>
    public IReadOnlyList<string> LabelNames => Labels.Names;

    internal ITextScorer Scorer { get; }

    internal ClassLabels Labels { get; }

    internal SequenceClassificationSettings Settings => (SequenceClassificationSettings)Running;

    EncodedText ITextBatchScorer.Encode(TextInput input) => Scorer.Encode(input);

    float[][] ITextBatchScorer.Forward(IReadOnlyList<int[]> sequences) => InTurn(() => Scorer.Forward(sequences));

    Classification ITextBatchScorer.Combine(EncodedText row, ReadOnlySpan<float[]> outputs) =>
        Labels.IsBinary ? Classification.Binary(outputs[0])
        : Labels.IsMultiLabel ? Classification.MultiLabel(outputs[0])
        : Classification.Multiclass(outputs[0]);

    void ITextBatchScorer.TellTruncated(long rows, long truncated) => Warn("Scoring", TextColumns.Truncated(rows, truncated, Settings, Scorer.MaxLength));

    static MLNetInterop.ModelFormat IStoredTransformer<SequenceClassificationTransformer>.Format => Format;

    static SequenceClassificationTransformer IStoredTransformer<SequenceClassificationTransformer>.Read(ModelSource source)
    {
        (SequenceClassificationSettings settings, ClassLabels labels) =
            source.ReadSettings(reader => (SequenceClassificationSettings.Read(reader, source.Version), ClassLabels.Read(reader)));
        return ModelSource.Wrap(TextClassifier.Read(source, settings), scorer => new SequenceClassificationTransformer(source.Environment, scorer, labels, settings));
    }

    private protected override void WriteSettings(BinaryWriter writer)
    {
        Settings.Write(writer);
        Labels.Write(writer);
    }

    private protected override RowMap Bind(DataViewSchema input) => new ClassificationMap(this, input);
}
