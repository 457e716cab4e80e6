using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

/// <summary>Transformers that generate with a tiny random model, and rows for them.</summary>
internal static class Generators
{
    public const int Context = 192;

    public const string Template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";

    public sealed class Row
    {
        public int Id { get; set; }
        public string Text { get; set; } = "";
        public string System { get; set; } = "";
        public string[] Said { get; set; } = [];
        public string[] Answered { get; set; } = [];
        public float Number { get; set; }
    }

    public static CausalLanguageModel Model(TorchSharp.torch.ScalarType? dtype = null) => new(TinyModel.Config(2, context: Context), seed: 5, dtype: dtype);

    public static TextGenerationTransformer Transformer(MLContext ml, TextGenerationOptions options, CausalLanguageModel? model = null, bool chats = false)
    {
        var settings = new TextGenerationSettings("Answer", "Text", options);
        return new TextGenerationTransformer(ml, new TextGenerator(model ?? Model(), TinyModel.Tokenizer(chatTemplate: chats ? Template : null), options), settings);
    }

    /// <summary>Prompts of 1 to 60 tokens, no two alike.</summary>
    public static Row[] Rows(int count) => [.. Enumerable.Range(0, count).Select(id => new Row
    {
        Id = id,
        Text = id == 0 ? "?" : string.Concat(Enumerable.Range(0, 1 + (id * 37 % 60)).Select(place => (char)('a' + ((id + (place * place)) % 26)))),
        System = id % 3 == 0 ? "" : $"system {id % 3}",
        Said = [.. Enumerable.Range(0, id % 3).Select(example => $"said {example}")],
        Answered = [.. Enumerable.Range(0, id % 3).Select(example => $"answer {example}")],
    })];

    public static IDataView View(MLContext ml, int count) => ml.Data.LoadFromEnumerable(Rows(count));

    /// <summary>What the prompts of <see cref="Instructed"/> begin with; a token for each character.</summary>
    public static string Instruction { get; } = new string('i', 68) + ":\n";

    /// <summary>The same rows, with an instruction before the text in the column Text.</summary>
    public static IDataView Instructed(MLContext ml, int count)
    {
        IDataView rows = View(ml, count);
        return ml.Transforms.Text.FormatPrompt("Text", Instruction + "{Text}").Fit(rows).Transform(rows);
    }

    /// <summary>The same texts, of which nothing is known.</summary>
    public static IDataView WithoutAnnotations(MLContext ml, IDataView rows) => ml.Data.LoadFromEnumerable(ml.Data.CreateEnumerable<Row>(rows, reuseRowObject: false).ToArray());

    /// <summary>What the engine gives for a prompt when it is called directly.</summary>
    public static GeneratedSequence Direct(TextGenerationTransformer transformer, IReadOnlyList<int> prompt, GenerationConfig config)
    {
        using GenerationOutput output = transformer.Model.Generate(
            new GenerationInput { InputIds = [prompt], Seeds = [transformer.Generator.SeedOf(prompt)], Tokenizer = transformer.Tokenizer }, config, TestContext.Current.CancellationToken);
        return output.Sequences[0];
    }
}
