using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLComponents.Transforms;

/// <summary>Writes the columns of a row into a text template. Made by <c>mlContext.Transforms.Text.FormatPrompt</c>, which has the rules.</summary>
public sealed class FormatPromptTransformer : ITransformer, IStoredTransformer<FormatPromptTransformer>
{
    internal const string LoaderSignature = "MLCFormatPrompt";
    private const string SettingsEntry = "Prompt.bin";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCPROMT", 0x00010001, 0x00010001, 0x00010001, LoaderSignature);

    internal FormatPromptTransformer(IHostEnvironment env, string outputColumnName, PromptTemplate template, FormatPromptOptions options)
    {
        Host = env.Register(nameof(FormatPromptTransformer));
        OutputColumnName = outputColumnName;
        Template = template;
        Options = options;
        Renderer = new PromptRenderer(template, options);
    }

    /// <summary>The text column that is added.</summary>
    public string OutputColumnName { get; }

    /// <summary>The template as it was written.</summary>
    public string TemplateText => Template.Text;

    internal IHost Host { get; }

    internal PromptTemplate Template { get; }

    internal FormatPromptOptions Options { get; }

    internal PromptRenderer Renderer { get; }

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>The input's columns and the prompt.</summary>
    /// <param name="inputSchema">A schema with the template's columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column of the template is missing, of a type without text, or its format does not fit.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new FormatPromptMap(this, inputSchema).OutputSchema;
    }

    /// <summary>Adds the prompt; it is written when it is read.</summary>
    /// <param name="input">Data with the template's columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column of the template is missing, of a type without text, or its format does not fit.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new FormatPromptMap(this, input.Schema).Over(input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(new FormatPromptMap(this, inputSchema));
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        MLNetInterop.BeginSave(ctx, Format);
        MLNetInterop.SaveEntry(ctx, SettingsEntry, stream =>
        {
            using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
            writer.Write(OutputColumnName);
            writer.Write(Template.Text);
            Options.Write(writer);
        });
    }

    static MLNetInterop.ModelFormat IStoredTransformer<FormatPromptTransformer>.Format => Format;

    static FormatPromptTransformer IStoredTransformer<FormatPromptTransformer>.Read(ModelSource source) => source.ReadSettings(
        reader =>
        {
            string output = reader.ReadString();
            PromptTemplate template = PromptTemplate.Parse(reader.ReadString());
            FormatPromptOptions options = FormatPromptOptions.Read(reader);
            options.Check(template);
            return new FormatPromptTransformer(source.Environment, output, template, options);
        },
        SettingsEntry);
}
