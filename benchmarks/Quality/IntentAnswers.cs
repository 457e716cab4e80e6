using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Models;
using MLComponents.Trainers;
using MLComponents.Transforms;

namespace MLComponents.Benchmarks;

/// <summary>
/// Instruction tuning with the loss on responses only: a chat model is to answer a bank's customer with the name of what the customer wants. Measured is how often its
/// greedy answer to questions that it has not seen is that name, to the letter, before and after.
/// </summary>
internal sealed class IntentAnswers : QualityTask
{
    private const int Questions = 300;

    public override string Name => "instructions";

    protected override (IDataView Train, IDataView Test) Read(MLContext ml, QualityRun run)
    {
        string folder = run.Model ?? throw new ArgumentException("Instruction tuning needs a chat model.");
        var (train, test) = Banking77.Rows(ml, run with { Rows = int.MaxValue });
        IDataView Asked(IDataView rows, int most) => ml.Data.TakeRows(
            ml.Transforms.Text.FormatPrompt("Prompt", "What does this customer of a bank want? {Text}").Append(ml.Transforms.Expression("Answer", "name => name", "Name")).Fit(rows).Transform(ml.Data.ShuffleRows(rows, run.Seed, shufflePoolSize: 20_000)), most);
        IDataView questions = Asked(test, Questions);
        Console.WriteLine($"before training: {Share(ml, folder, questions)}");
        return (Asked(train, run.Rows), questions);
    }

    protected override IEstimator<ITransformer> Trainer(MLContext ml, QualityRun run) =>
        ml.Transforms.Text.CausalLanguageModel("Answer", run.Apply(new CausalLanguageModelOptions { PromptColumnName = "Prompt", Learned = LearnedText.ChatResponse }));

    protected override string Measure(MLContext ml, ITransformer fitted, IDataView test)
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            ((CausalLanguageModelTransformer)fitted).SavePretrained(folder);
            return Share(ml, folder, test);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private static string Share(MLContext ml, string folder, IDataView questions)
    {
        var options = new TextGenerationOptions { Model = folder, Chat = new ChatPromptOptions(), Generation = new GenerationConfig { MaxNewTokens = 20, DoSample = false } };
        using TextGenerationTransformer generator = ml.Transforms.Text.GenerateText("Said", "Prompt", options).Fit(questions);
        IDataView answered = generator.Transform(questions);
        string[] said = [.. answered.GetColumn<string>("Said")], expected = [.. answered.GetColumn<string>("Answer")];
        int right = said.Zip(expected).Count(pair => pair.First.Trim() == pair.Second);
        return $"{right} of {said.Length} answers right to the letter; the first: '{said[0].Trim().ReplaceLineEndings(" ")}' for '{expected[0]}'";
    }
}
