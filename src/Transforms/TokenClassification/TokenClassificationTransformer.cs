using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>Labels the tokens of a text with a decoder language model, and finds the entities that the labels spell.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Type and content</description></listheader>
/// <item><term>Token</term><description><c>Vector&lt;String&gt;</c>, only where the input is a text: its words and other characters, each of which has a label</description></item>
/// <item><term>PredictedLabel</term><description><c>Vector&lt;Key&gt;</c>, the label of each token; as many as tokens were given</description></item>
/// <item><term>Probability</term><description><c>Vector&lt;Single&gt;</c>, the probability of each label</description></item>
/// <item><term>Entity</term><description><c>Vector&lt;String&gt;</c>, the entities: parts of the text, or tokens with a space between each two</description></item>
/// <item><term>EntityLabel</term><description><c>Vector&lt;String&gt;</c>, what they are, without a tag's prefix such as B-</description></item>
/// <item><term>EntityStart, EntityLength</term><description><c>Vector&lt;Int32&gt;</c>, where they are: UTF-16 characters of the text, or tokens where tokens were given</description></item>
/// <item><term>EntityProbability</term><description><c>Vector&lt;Single&gt;</c>, the mean of their tokens' probabilities</description></item>
/// </list>
/// A token is labelled at the last of the model's tokens that it consists of, the first that has read all of it. A text of more tokens than the model may read is read in
/// windows, each beginning with the end of the one before; nothing is cut, and nothing is labelled twice. Tags follow any of IOB1, IOB2, IOE and
/// IOBES, or have no prefixes; entities are those of seqeval. Rows are read ahead and served in their own order; several cursors may be open at once.
/// Disposing the transformer frees the model, after which its views throw <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class TokenClassificationTransformer : DecoderTransformer<TokenClassificationModel>, IStoredTransformer<TokenClassificationTransformer>
{
    internal const string LoaderSignature = "MLCTokenClassifier";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCTOKCL", 0x00010001, 0x00010001, 0x00010001, LoaderSignature);

    /// <summary>Wraps a scorer.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="scorer">The model; owned by this transformer from now on.</param>
    /// <param name="labels">What its outputs mean.</param>
    /// <param name="settings">Columns and batches; copied.</param>
    internal TokenClassificationTransformer(IHostEnvironment env, ITokenScorer scorer, ClassLabels labels, TokenClassificationSettings settings)
        : base(env, scorer, settings, Format)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (scorer.OutputCount != labels.Count)
            throw new ArgumentException($"The model has {scorer.OutputCount} outputs for {labels.Count} labels; expected as many.", nameof(scorer));
        (Scorer, Labels, Spans) = (scorer, labels, new TagSpans(labels.Names));
    }

    /// <summary>The column that is read.</summary>
    public string TextColumnName => Settings.TextColumnName;

    /// <summary>The labels as text, in the order of their keys.</summary>
    public IReadOnlyList<string> LabelNames => Labels.Names;

    internal ITokenScorer Scorer { get; }

    internal ClassLabels Labels { get; }

    internal TagSpans Spans { get; }

    internal TokenClassificationSettings Settings => (TokenClassificationSettings)Running;

    static MLNetInterop.ModelFormat IStoredTransformer<TokenClassificationTransformer>.Format => Format;

    static TokenClassificationTransformer IStoredTransformer<TokenClassificationTransformer>.Read(ModelSource source)
    {
        (TokenClassificationSettings settings, ClassLabels labels) = source.ReadSettings(reader => (TokenClassificationSettings.Read(reader), ClassLabels.Read(reader)));
        return ModelSource.Wrap(TokenClassifier.Read(source, settings), scorer => new TokenClassificationTransformer(source.Environment, scorer, labels, settings));
    }

    /// <summary>Runs the model once, for whichever thread comes first.</summary>
    internal float[][] Forward(IReadOnlyList<int[]> rows) => InTurn(() => Scorer.Forward(rows));

    private protected override void WriteSettings(BinaryWriter writer)
    {
        Settings.Write(writer);
        Labels.Write(writer);
    }

    private protected override RowMap Bind(DataViewSchema input) => new TokenClassificationMap(this, input);
}
