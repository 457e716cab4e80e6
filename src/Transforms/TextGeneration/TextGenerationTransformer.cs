using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>Generates a text for each row of a column with a causal language model.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Type and content</description></listheader>
/// <item><term>the output column</term><description><see langword="string"/>, the new text without special tokens and up to the stop string; with <see cref="TextGenerationOptions.Choices"/> a key with the choices as its values</description></item>
/// <item><term>output column, point, property</term><description>with <see cref="TextGenerationOptions.JsonSchema"/>: the values of required properties; string, Int64, Double or Boolean</description></item>
/// <item><term><see cref="TextGenerationOptions.TokenIdsColumnName"/></term><description><c>Vector&lt;Int32&gt;</c>, the new tokens</description></item>
/// <item><term><see cref="TextGenerationOptions.LogProbabilityColumnName"/></term><description><see langword="float"/>, the sum of their log probabilities, in nats</description></item>
/// <item><term><see cref="TextGenerationOptions.FinishReasonColumnName"/></term><description><see langword="string"/>, why the text ended: the name of a <see cref="FinishReason"/></description></item>
/// </list>
/// Rows are read ahead and generated in their order, many at a time: when a text ends, the next row takes its place. What a row becomes does not depend on the rows
/// beside it. Columns that nobody asks for cost nothing. Several cursors may be open at once, on several threads; the model serves them in turn. Disposing the
/// transformer frees the model, after which its views throw <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class TextGenerationTransformer : DecoderTransformer<CausalLanguageModel>, IStoredTransformer<TextGenerationTransformer>
{
    internal const string LoaderSignature = "MLCTextGenerator";

    internal static readonly MLNetInterop.ModelFormat Format = new("MLCTXGEN", 0x00010001, 0x00010001, 0x00010001, LoaderSignature);

    /// <summary>Wraps a generator.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="generator">The model; owned by this transformer from now on.</param>
    /// <param name="settings">Columns and options.</param>
    internal TextGenerationTransformer(IHostEnvironment env, TextGenerator generator, TextGenerationSettings settings)
        : base(env, generator, settings.Options, Format) => (Generator, Settings) = (generator, settings);

    internal TextGenerator Generator { get; }

    internal TextGenerationSettings Settings { get; }

    static MLNetInterop.ModelFormat IStoredTransformer<TextGenerationTransformer>.Format => Format;

    static TextGenerationTransformer IStoredTransformer<TextGenerationTransformer>.Read(ModelSource source)
    {
        TextGenerationSettings settings = source.ReadSettings(TextGenerationSettings.Read);
        return ModelSource.Wrap(TextGenerator.Read(source, settings.Options), generator => new TextGenerationTransformer(source.Environment, generator, settings));
    }

    /// <summary>Begins to generate for prompts of a column whose texts begin alike; <see cref="Next"/> goes on.</summary>
    internal IEnumerable<GeneratedText> Generate(IReadOnlyList<int[]> prompts, string beginning) => InTurn(() => Generator.Generate(prompts, beginning, CheckAlive, Settings.Options.CancellationToken));

    /// <summary>The next text.</summary>
    internal GeneratedText Next(IEnumerator<GeneratedText> running) =>
        InTurn(() => running.MoveNext() ? running.Current : throw new InvalidOperationException("Generation ended before all rows had their texts."));

    internal void TellTruncated(long rows, long truncated) => Warn(
        "Generation",
        $"{truncated} of {rows} prompts of column '{Settings.InputColumnName}' had more than {Generator.MaxPromptLength} tokens and were cut (TruncationSide {Settings.Options.TruncationSide}). Lower MaxNewTokens or raise MaxPromptLength where the model's context allows it, or shorten values with FormatPrompt's limits.");

    private protected override void WriteSettings(BinaryWriter writer) => Settings.Write(writer);

    private protected override RowMap Bind(DataViewSchema input) => new TextGenerationMap(this, input);
}
