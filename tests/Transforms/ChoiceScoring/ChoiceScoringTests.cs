using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Tests.Transforms;

public class ChoiceScoringTests
{
    private static readonly string[] s_choices = ["refund", "refuse", "re", "Übergabe", "x"];

    private readonly MLContext _ml = new(seed: 1);

    private ChoiceScoringTransformer Transformer(ChoiceScoringOptions? options = null, CausalLanguageModel? model = null, string[]? choices = null)
    {
        var settings = new ChoiceScoringSettings("Text", choices ?? s_choices, options ?? new() { LogLikelihoodColumnName = "LogLikelihood" });
        return new(_ml, new ChoiceScorer(model ?? Generators.Model(), TinyModel.Tokenizer(chatTemplate: Generators.Template), settings), settings);
    }

    [Fact]
    public void Log_likelihoods_are_those_of_the_whole_text_read_at_once()
    {
        using ChoiceScoringTransformer transformer = Transformer();
        float[][] found = [.. transformer.Transform(Generators.View(_ml, 20)).GetColumn<float[]>("LogLikelihood")];
        using IDisposable inference = no_grad();
        foreach ((Generators.Row row, float[] own) in Generators.Rows(20).Zip(found))
        {
            for (int choice = 0; choice < s_choices.Length; choice++)
            {
                using DisposeScope scope = NewDisposeScope();
                int[] prompt = Bytes(row.Text), both = Bytes($"{row.Text} {s_choices[choice]}");
                Tensor logits = transformer.Model.Forward(new DecoderInput { InputIds = tensor(Array.ConvertAll(both, id => (long)id)).unsqueeze(0) }).Logits;
                float[] probabilities = nn.functional.log_softmax(logits[0], 1).data<float>().ToArray();
                double expected = Enumerable.Range(prompt.Length, both.Length - prompt.Length).Sum(place => (double)probabilities[((place - 1) * 260) + both[place]]);
                Assert.Equal(expected, own[choice], 1e-3);
            }
        }

        static int[] Bytes(string text) => [.. Encoding.UTF8.GetBytes(text).Select(value => (int)value)];
    }

    [Theory]
    [InlineData(LengthNormalization.None, null)]
    [InlineData(LengthNormalization.Tokens, null)]
    [InlineData(LengthNormalization.Bytes, "N/A")]
    [InlineData(LengthNormalization.None, "N/A")]
    public void Scores_are_the_softmax_of_what_is_calibrated_and_divided(LengthNormalization normalization, string? contentFree)
    {
        using ChoiceScoringTransformer transformer = Transformer(new() { LogLikelihoodColumnName = "LogLikelihood", LengthNormalization = normalization, ContentFreePrompt = contentFree });
        IDataView scored = transformer.Transform(Generators.View(_ml, 12));
        float[] nothing = contentFree is null
            ? new float[s_choices.Length]
            : transformer.Transform(_ml.Data.LoadFromEnumerable([new Generators.Row { Text = contentFree }])).GetColumn<float[]>("LogLikelihood").Single();
        double[] lengths = [.. s_choices.Select(choice => normalization switch { LengthNormalization.None => 1.0, LengthNormalization.Bytes => Encoding.UTF8.GetByteCount(choice), _ => Encoding.UTF8.GetByteCount(" " + choice) })];
        float[][] likelihoods = [.. scored.GetColumn<float[]>("LogLikelihood")], scores = [.. scored.GetColumn<float[]>("Score")];
        uint[] keys = [.. scored.GetColumn<uint>("PredictedLabel")];
        float[] probabilities = [.. scored.GetColumn<float>("Probability")];
        for (int row = 0; row < scores.Length; row++)
        {
            double[] exponentials = [.. Enumerable.Range(0, s_choices.Length).Select(choice => Math.Exp((likelihoods[row][choice] - nothing[choice]) / lengths[choice]))];
            for (int choice = 0; choice < s_choices.Length; choice++) Assert.Equal(exponentials[choice] / exponentials.Sum(), scores[row][choice], 1e-5);
            Assert.Equal(scores[row].Max(), probabilities[row]);
            Assert.Equal(scores[row].Max(), scores[row][keys[row] - 1]);
        }
    }

    [Fact]
    public void A_prompt_is_read_once_and_so_is_what_choices_begin_with()
    {
        CausalLanguageModel model = Generators.Model();
        var counting = new CountingDecoding(model);
        model.Decoding = counting;
        using ChoiceScoringTransformer transformer = Transformer(model: model);
        IDataView scored = transformer.Transform(Generators.View(_ml, 10));
        Assert.Equal(10, scored.GetColumn<int>("Id").Count());
        Assert.Empty(counting.Prompts);
        Assert.Equal(10, scored.GetColumn<float>("Probability").Count());
        Assert.Equal(Generators.Rows(10).Select(row => row.Text.Length).Order(), counting.Prompts.Order());
        int beginnings = s_choices.Select(choice => Encoding.UTF8.GetBytes(" " + choice)).SelectMany(bytes => Enumerable.Range(1, bytes.Length - 1).Select(length => Convert.ToHexString(bytes[..length]))).Distinct().Count();
        Assert.Equal(10 * beginnings, counting.Steps.Sum());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void A_row_has_the_same_bits_in_every_batch(ScalarType dtype)
    {
        using ChoiceScoringTransformer one = Transformer(new() { BatchSize = 1 }, Generators.Model(dtype)), many = Transformer(new() { BatchSize = 16 }, Generators.Model(dtype));
        IDataView rows = Generators.View(_ml, 30);
        Assert.Equal(EstimatorContract.Values(one.Transform(rows), "Score"), EstimatorContract.Values(many.Transform(rows), "Score"));
    }

    [Fact]
    public void Evaluation_knows_the_choices()
    {
        using ChoiceScoringTransformer transformer = Transformer(choices: ["queue A", "queue B", "queue C"]);
        IDataView scored = transformer.Transform(Tickets.View(_ml, 60));
        MulticlassClassificationMetrics metrics = _ml.MulticlassClassification.Evaluate(scored, topKPredictionCount: 3);
        float[][] scores = [.. scored.GetColumn<float[]>("Score")];
        uint[] labels = [.. scored.GetColumn<uint>("Label")];
        Assert.Equal(scores.Zip(labels).Average(row => -Math.Log(row.First[row.Second - 1])), metrics.LogLoss, 1e-4);
        Assert.Equal(scored.GetColumn<uint>("PredictedLabel").Zip(labels).Average(row => row.First == row.Second ? 1.0 : 0), metrics.MicroAccuracy, 1e-9);
        Assert.Equal(1, metrics.TopKAccuracy);
        Assert.Contains("queue B", metrics.ConfusionMatrix.GetFormattedConfusionTable());
        IDataView named = _ml.Transforms.Conversion.MapKeyToValue("Named", "PredictedLabel").Fit(scored).Transform(scored);
        Assert.Equal(scored.GetColumn<uint>("PredictedLabel").Select(key => transformer.Choices[(int)key - 1]), named.GetColumn<string>("Named"));
    }

    [Fact]
    public void A_conversation_is_put_around_the_input_and_its_beginning_is_read_once()
    {
        CausalLanguageModel model = Generators.Model();
        var counting = new CountingDecoding(model);
        model.Decoding = counting;
        var chat = new ChatPromptOptions { SystemPrompt = "answer with one word", Examples = [new("a", "x")] };
        using ChoiceScoringTransformer transformer = Transformer(new() { Chat = chat, LogLikelihoodColumnName = "LogLikelihood" }, model);
        using ChoiceScoringTransformer plain = Transformer(new() { ChoicePrefix = "", LogLikelihoodColumnName = "LogLikelihood" });
        Generators.Row[] rows = Generators.Rows(8);
        float[][] found = [.. transformer.Transform(_ml.Data.LoadFromEnumerable(rows)).GetColumn<float[]>("LogLikelihood")];
        const string Before = "<system>answer with one word\n<user>a\n<assistant>x\n<user>", After = "\n<assistant>";
        Assert.Equal(Before.Length, counting.Prompts[0]);
        Assert.Equal(rows.Select(row => row.Text.Length + After.Length).Order(), counting.Prompts.Skip(1).Order());
        foreach (Generators.Row row in rows) row.Text = Before + row.Text + After;
        foreach ((float[] one, float[] other) in plain.Transform(_ml.Data.LoadFromEnumerable(rows)).GetColumn<float[]>("LogLikelihood").Zip(found))
            for (int choice = 0; choice < s_choices.Length; choice++) Assert.Equal(one[choice], other[choice], 1e-3f);
    }

    [Fact]
    public void The_instruction_of_a_template_is_read_once()
    {
        CausalLanguageModel model = Generators.Model();
        var counting = new CountingDecoding(model);
        model.Decoding = counting;
        var options = new ChoiceScoringOptions { LogLikelihoodColumnName = "LogLikelihood", ContentFreePrompt = "nothing" };
        using ChoiceScoringTransformer transformer = Transformer(options, model), plain = Transformer(options);
        IDataView prompts = Generators.Instructed(_ml, 9);
        float[][] found = [.. transformer.Transform(prompts).GetColumn<float[]>("LogLikelihood")];
        int[] read = [Generators.Instruction.Length, "nothing".Length, .. Generators.Rows(9).Select(row => row.Text.Length).Where(static length => length > 1)];
        Assert.Equal(read.Order(), counting.Prompts.Order());
        foreach ((float[] one, float[] other) in plain.Transform(Generators.WithoutAnnotations(_ml, prompts)).GetColumn<float[]>("LogLikelihood").Zip(found))
            for (int choice = 0; choice < s_choices.Length; choice++) Assert.Equal(one[choice], other[choice], 1e-3f);
    }

    [Fact]
    public void It_is_a_good_estimator()
    {
        string folder = Path.Combine(Path.GetTempPath(), "mlcomponents-" + Path.GetRandomFileName());
        using (CausalLanguageModel model = Generators.Model()) model.Save(folder);
        TinyModel.Tokenizer(chatTemplate: Generators.Template).Save(folder);
        IDataView rows = Generators.View(_ml, 12);
        IDataView missing = _ml.Transforms.DropColumns("Text").Fit(rows).Transform(rows);
        IDataView mistyped = _ml.Transforms.CopyColumns("Text", "Number").Fit(rows).Transform(rows);
        EstimatorContract.Check(_ml, _ml.Transforms.Text.ScoreChoices("Text", s_choices, new() { Model = folder, ContentFreePrompt = "N/A", LengthNormalization = LengthNormalization.Tokens, LogLikelihoodColumnName = "L" }), rows, missing, mistyped);
        EstimatorContract.Check(_ml, _ml.Transforms.Text.ScoreChoices("Text", s_choices, new() { Model = folder, Chat = new() { SystemPromptColumnName = "System" } }), rows, missing, mistyped);
        Assert.Contains("nowhere", Assert.Throws<FileNotFoundException>(() => _ml.Transforms.Text.ScoreChoices("Text", s_choices, new() { Model = Path.Combine(folder, "nowhere") })).Message);
        Assert.Equal("Model", Assert.Throws<ArgumentException>(() => _ml.Transforms.Text.ScoreChoices("Text", s_choices, new())).ParamName);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Wrong_options_are_refused_by_name()
    {
        Refused<ArgumentException>("at least two", choices: ["one"]);
        Refused<ArgumentException>("empty", choices: ["one", ""]);
        Refused<ArgumentException>("twice", choices: ["one", "two", "one"]);
        Refused<ArgumentOutOfRangeException>("max_position_embeddings", choices: ["one", new string('x', Generators.Context)]);
        Refused<ArgumentOutOfRangeException>("BatchSize", options => options.BatchSize = 0);
        Refused<ArgumentOutOfRangeException>("MaxPromptLength", options => options.MaxPromptLength = 0);
        Refused<ArgumentOutOfRangeException>("LengthNormalization", options => options.LengthNormalization = (LengthNormalization)9);
        Refused<ArgumentException>("'Score'", options => options.LogLikelihoodColumnName = "Score");
        Refused<ArgumentException>("ContentFreePrompt", options => (options.ContentFreePrompt, options.Chat) = ("N/A", new() { SystemPromptColumnName = "System" }));
        Refused<ArgumentException>("ContentFreePrompt", options => (options.ContentFreePrompt, options.MaxPromptLength) = ("too long", 4));

        void Refused<TError>(string named, Action<ChoiceScoringOptions>? change = null, string[]? choices = null)
            where TError : Exception
        {
            var options = new ChoiceScoringOptions();
            change?.Invoke(options);
            Assert.Contains(named, Assert.ThrowsAny<TError>(() => Transformer(options, choices: choices).Dispose()).Message);
        }
    }

    [Fact]
    public void Cancelling_ends_scoring_before_the_next_prompt()
    {
        CausalLanguageModel model = Generators.Model();
        var counting = new CountingDecoding(model);
        model.Decoding = counting;
        using var source = new CancellationTokenSource();
        using ChoiceScoringTransformer transformer = Transformer(new() { CancellationToken = source.Token }, model);
        counting.Reading = () =>
        {
            if (counting.Prompts.Count == 3) source.Cancel();
        };
        Assert.ThrowsAny<OperationCanceledException>(() => transformer.Transform(Generators.View(_ml, 20)).GetColumn<float>("Probability").Count());
        Assert.InRange(counting.Prompts.Count, 3, 4);
    }

    [Fact]
    public void Long_prompts_are_cut_counted_and_told()
    {
        var messages = new System.Collections.Concurrent.ConcurrentQueue<string>();
        _ml.Log += (_, message) => messages.Enqueue(message.Message);
        using ChoiceScoringTransformer transformer = Transformer(new() { MaxPromptLength = 20, TruncationSide = TruncationSide.Start });
        Generators.Row[] rows = Generators.Rows(30);
        List<object> found = EstimatorContract.Values(transformer.Transform(_ml.Data.LoadFromEnumerable(rows)), "Score");
        foreach (Generators.Row row in rows) row.Text = row.Text[Math.Max(0, row.Text.Length - 20)..];
        Assert.Equal(EstimatorContract.Values(transformer.Transform(_ml.Data.LoadFromEnumerable(rows)), "Score"), found);
        Assert.Contains(messages, message => message.Contains($"{Generators.Rows(30).Count(row => row.Text.Length > 20)} of 30 prompts of column 'Text' had more than 20 tokens", StringComparison.Ordinal));
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        long Live() => DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        long before = Live();
        using (ChoiceScoringTransformer transformer = Transformer(new() { Chat = new() { SystemPrompt = "answer with one word" }, ContentFreePrompt = "N/A" }))
        {
            IDataView scored = transformer.Transform(Generators.View(_ml, 20));
            Assert.Equal(20, scored.GetColumn<float>("Probability").Count());
            long warm = Live();
            Assert.Equal(20, scored.GetColumn<float>("Probability").Count());
            Assert.Equal(warm, Live());
        }

        Assert.Equal(before, Live());
    }
}
