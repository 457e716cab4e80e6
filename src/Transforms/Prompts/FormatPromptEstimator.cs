using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLComponents.Transforms;

/// <summary>Makes a <see cref="FormatPromptTransformer"/>; there is nothing to learn. Made by <c>mlContext.Transforms.Text.FormatPrompt</c>, which has the rules.</summary>
public sealed class FormatPromptEstimator : IEstimator<FormatPromptTransformer>
{
    private readonly FormatPromptTransformer _transformer;

    internal FormatPromptEstimator(IHostEnvironment env, string outputColumnName, string template, FormatPromptOptions? options)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentException.ThrowIfNullOrEmpty(outputColumnName);
        PromptTemplate parsed = PromptTemplate.Parse(template);
        FormatPromptOptions copy = options?.Copy() ?? new FormatPromptOptions();
        copy.Check(parsed);
        _transformer = new FormatPromptTransformer(env, outputColumnName, parsed, copy);
    }

    /// <summary>Checks the columns of the data against the template; reads no row.</summary>
    /// <param name="input">Data with the template's columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column of the template is missing, of a type without text, or its format does not fit.</exception>
    public FormatPromptTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _transformer.GetOutputSchema(input.Schema);
        return _transformer;
    }

    /// <summary>The input's columns and the prompt.</summary>
    /// <param name="inputSchema">A shape with the template's columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column of the template is missing, of a type without text, or its format does not fit.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        PromptColumns.Check(_transformer.Template, _transformer.Options, inputSchema);
        Dictionary<string, SchemaShape.Column> columns = inputSchema.ToDictionary(column => column.Name);
        columns[_transformer.OutputColumnName] = MLNetInterop.ShapeColumn(_transformer.OutputColumnName,
            SchemaShape.Column.VectorKind.Scalar, TextDataViewType.Instance, isKey: false, PromptBeginning.Promise(_transformer.Renderer.Beginning));
        return new SchemaShape(columns.Values);
    }
}
