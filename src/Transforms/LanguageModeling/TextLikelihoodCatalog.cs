using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Adds <c>TextLikelihood</c> and <c>EvaluateTextLikelihood</c> to <c>mlContext.Transforms.Text</c>.</summary>
public static class TextLikelihoodCatalog
{
    /// <summary>Measures how likely a causal language model finds texts, or answers to prompts; to fine-tune one, use the trainer <c>CausalLanguageModel</c>.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="modelFolder">A folder with config.json, model.safetensors and tokenizer.json.</param>
    /// <param name="settings">Columns, lengths and batches; null for the defaults: column "Text", the model's context.</param>
    /// <returns>The estimator; it learns nothing from data.</returns>
    /// <remarks>The columns that are added are those of <see cref="CausalLanguageModelTransformer"/>.</remarks>
    /// <exception cref="FileNotFoundException">There is no such folder, or it has no config.json.</exception>
    /// <exception cref="FormatException">The config.json is broken.</exception>
    public static TextLikelihoodEstimator TextLikelihood(this TransformsCatalog.TextTransforms catalog, string modelFolder,
        TextLikelihoodSettings? settings = null) => new(MLNetInterop.EnvironmentOf(catalog), modelFolder, settings);

    /// <summary>The mean negative log-likelihood and the perplexity of all tokens that were measured.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="data">Scored data; read once.</param>
    /// <param name="logLikelihoodColumnName">The log-likelihoods of the rows, <see langword="float"/>.</param>
    /// <param name="tokenCountColumnName">The numbers of their tokens, <see langword="int"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">No token was measured.</exception>
    public static LanguageModelMetrics EvaluateTextLikelihood(
        this TransformsCatalog.TextTransforms catalog, IDataView data, string logLikelihoodColumnName = "LogLikelihood", string tokenCountColumnName = "TokenCount")
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        DataViewSchema.Column likelihood = Find(logLikelihoodColumnName, NumberDataViewType.Single), count = Find(tokenCountColumnName, NumberDataViewType.Int32);
        using DataViewRowCursor cursor = data.GetRowCursor([likelihood, count]);
        ValueGetter<float> getLikelihood = cursor.GetGetter<float>(likelihood);
        ValueGetter<int> getCount = cursor.GetGetter<int>(count);
        double sum = 0;
        long tokens = 0;
        while (cursor.MoveNext())
        {
            float value = 0;
            int more = 0;
            getLikelihood(ref value);
            getCount(ref more);
            sum += value;
            tokens += more;
        }

        if (tokens == 0) throw new InvalidOperationException("No token was measured: there are no rows, or their texts have one token each.");
        return new LanguageModelMetrics(-sum / tokens, Math.Exp(-sum / tokens), tokens);

        DataViewSchema.Column Find(string name, DataViewType type) => data.Schema.GetColumnOrNull(name) is { } column && column.Type == type
            ? column
            : throw OutOfRange.Error($"Schema mismatch for column '{name}': expected {type}, got {data.Schema.GetColumnOrNull(name)?.Type.ToString() ?? "no such column"}.");
    }
}
