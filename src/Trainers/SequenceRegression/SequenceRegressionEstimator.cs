using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>
/// Fine-tunes a decoder language model to give the texts of a column a number, by the mean squared error. Made by
/// <c>mlContext.Regression.Trainers.SequenceRegression</c>.
/// </summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Input column</term><description>Type</description></listheader>
/// <item><term>Text</term><description>text; an empty text is allowed</description></item>
/// <item><term><see cref="SequenceRegressionOptions.TextPairColumnName"/></term><description>text, the second of a pair; read only where a column is named</description></item>
/// <item><term>Label</term><description>Single, a finite number in every row. Numbers about 1 in size are learnt best: divide large ones</description></item>
/// </list>
/// The output column is described at <see cref="SequenceRegressionTransformer"/>; <c>mlContext.Regression.Evaluate</c> measures it.
/// </remarks>
public sealed class SequenceRegressionEstimator : IEstimator<SequenceRegressionTransformer>
{
    private readonly IHost _host;
    private readonly string _labelColumnName, _textColumnName;
    private readonly SequenceRegressionOptions _options;

    internal SequenceRegressionEstimator(IHostEnvironment environment, string labelColumnName, string textColumnName, SequenceRegressionOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(labelColumnName);
        ArgumentException.ThrowIfNullOrEmpty(textColumnName);
        options.Check();
        _host = environment.Register(nameof(SequenceRegressionEstimator));
        SequenceClassificationSettings.CheckPair(textColumnName, options.TextPairColumnName);
        (_labelColumnName, _textColumnName, _options) = (labelColumnName, textColumnName, options.Copy());
    }

    /// <summary>Promises the input's columns and the score.</summary>
    /// <param name="inputSchema">A schema with the text and label columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        SchemaShape.Column? label = inputSchema.Where(column => column.Name == _labelColumnName).Select(column => (SchemaShape.Column?)column).LastOrDefault();
        if (label is not { Kind: SchemaShape.Column.VectorKind.Scalar, IsKey: false } found || !found.ItemType.Equals(NumberDataViewType.Single))
            throw OutOfRange.Error($"Schema mismatch for label column '{_labelColumnName}': expected Single (a number), got {(label is { } other ? $"{other.Kind} of {other.ItemType}" : "no such column")}.", nameof(inputSchema));
        return ClassificationSchema.PromiseScore(inputSchema, _textColumnName, _options.TextPairColumnName, _options.ScoreColumnName);
    }

    /// <summary>Trains on the rows of a data set.</summary>
    /// <param name="input">Data with the text and label columns; read once to be checked and counted, then once per epoch.</param>
    /// <returns>The transformer; whoever holds it disposes it to free the model.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">There are no rows, or one has no finite label.</exception>
    /// <exception cref="DirectoryNotFoundException">The model's folder does not exist.</exception>
    /// <exception cref="FormatException">A file of the model is damaged or does not fit the others.</exception>
    /// <exception cref="NotFiniteNumberException">The loss is not a finite number.</exception>
    /// <exception cref="TrainingCanceledException">The run was cancelled after its first step.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled before that.</exception>
    public SequenceRegressionTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new TargetedTextTraining(_host, _textColumnName, _options.TextPairColumnName, _labelColumnName, isRegression: true, _options).Fit(input, null, (environment, scorer, _) =>
            new SequenceRegressionTransformer(environment, scorer, new SequenceClassificationSettings
            {
                TextColumnName = _textColumnName,
                TextPairColumnName = _options.TextPairColumnName,
                ScoreColumnName = _options.ScoreColumnName,
                MaxLength = scorer.MaxLength,
                TruncationSide = _options.TruncationSide,
                MaxTokensPerBatch = _options.MaxTokensPerBatch,
            }));
    }
}
