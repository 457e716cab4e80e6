using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Trains on texts with targets, for the estimators of several labels and of regression.</summary>
/// <param name="host">The estimator's place in ML.NET.</param>
/// <param name="textColumnName">The text column.</param>
/// <param name="textPairColumnName">The column of the second texts of pairs, or null.</param>
/// <param name="labelColumnName">The label column.</param>
/// <param name="isRegression">Whether the label is a number.</param>
/// <param name="options">How to train.</param>
internal sealed class TargetedTextTraining(IHost host, string textColumnName, string? textPairColumnName, string labelColumnName, bool isRegression, FineTuningOptions options)
{
    private readonly StartingModel _start = new(options);
    private readonly FineTuner _tuner = new(host, options);

    /// <summary>Trains.</summary>
    /// <param name="input">The training rows.</param>
    /// <param name="weights">What each label counts, by its name; null where all count the same.</param>
    /// <param name="transformer">Makes the transformer of the scorer and the labels, which are null of a regression.</param>
    public TTransformer Fit<TTransformer>(IDataView input, IReadOnlyDictionary<string, double>? weights, Func<IHostEnvironment, TextClassifier, MultipleLabels?, TTransformer> transformer)
        where TTransformer : ITransformer
    {
        (TargetedTexts training, TargetedTexts? validation) = Rows(input);
        _start.CheckFolder();
        Device device = ScoringDevice.Choose(host, options.Device);
        long rows = training.Count(_tuner.CheckAlive);
        if (rows == 0) throw new InvalidOperationException($"The training data has no rows; expected rows with the columns '{textColumnName}' and '{labelColumnName}'.");
        CheckValidation(training, validation);
        float[]? labelWeights = weights is not { Count: > 0 } ? null : LabelWeights(training.Labels!, weights);

        TextClassifier scorer = LoadScorer(training.Labels, device);
        PairWarning.Tell(host, scorer, textColumnName, textPairColumnName, _start.Name);
        EncodedRows<TargetedText> Encoded(TargetedTexts texts) => new(texts.Encode(scorer), options.ShufflePoolSize);
        var data = new TrainingData<TargetedText>(Encoded(training), rows, validation is null ? null : Encoded(validation), scorer.MaxLength);
        return _tuner.Fit(
            new TargetedTextTask(scorer, isRegression, labelWeights, options), data, training.Labels is null ? $"{rows} rows" : $"{rows} rows of {training.Labels.Count} labels",
            environment => transformer(environment, scorer, training.Labels));
    }

    private static float[] LabelWeights(MultipleLabels labels, IReadOnlyDictionary<string, double> weights)
    {
        float[] values = [.. Enumerable.Repeat(1f, labels.Count)];
        List<string> names = [.. labels.Names];
        foreach ((string name, double weight) in weights)
        {
            int index = names.IndexOf(name);
            if (index < 0) throw new ArgumentException($"ClassWeights names the label '{name}'; the labels are {string.Join(", ", names.Select(label => $"'{label}'"))}.", nameof(weights));
            values[index] = (float)weight;
        }

        return values;
    }

    private TextClassifier LoadScorer(MultipleLabels? labels, Device device) => _start.LoadScorer(
        config => labels is null
            ? config.WithLabelCount(1) with { ProblemType = ProblemType.Regression }
            : config with { LabelNames = [.. labels.Names], ProblemType = ProblemType.MultiLabelClassification },
        SequenceClassificationModel.Create,
        device,
        (model, tokenizer) => new TextClassifier(model, tokenizer, _start.MaxLengthOf(model.Config), options.TruncationSide, _start.Name));

    private (TargetedTexts Training, TargetedTexts? Validation) Rows(IDataView input) =>
        TrainingRows.Find(input, options, data => new TargetedTexts(data, textColumnName, textPairColumnName, labelColumnName, isRegression));

    private void CheckValidation(TargetedTexts training, TargetedTexts? validation)
    {
        if (validation is null) return;
        if (training.Labels is { } labels && !validation.Labels!.Names.SequenceEqual(labels.Names))
        {
            throw new ArgumentException(
                $"The validation set's labels in column '{labelColumnName}' are {Describe(validation.Labels)}, those of the training data {Describe(labels)}: make both with the same fitted transformer.");
        }

        if (validation.Count(_tuner.CheckAlive) == 0)
        {
            throw new InvalidOperationException(options.ValidationSet is null
                ? $"{nameof(options.ValidationFraction)} {options.ValidationFraction} leaves no row to validate on: raise it or use {nameof(options.ValidationSet)}."
                : "The validation set has no rows.");
        }
    }

    private static string Describe(MultipleLabels labels) => string.Join(", ", labels.Names.Select(name => $"'{name}'"));
}
