using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class TokenClassificationPipelineTests
{
    private static readonly string[] s_tags = ["O", "B-X", "I-X"];

    private readonly MLContext _ml = new(seed: 1);

    private sealed class Texts
    {
        public string Text { get; set; } = "";
    }

    private sealed class Words
    {
        public string[] Text { get; set; } = [];
    }

    private sealed class Tagged
    {
        public string[] Token { get; set; } = [];
        public uint[] PredictedLabel { get; set; } = [];
        public float[] Probability { get; set; } = [];
        public string[] Entity { get; set; } = [];
        public string[] EntityLabel { get; set; } = [];
        public int[] EntityStart { get; set; } = [];
        public int[] EntityLength { get; set; } = [];
        public float[] EntityProbability { get; set; } = [];
    }

    /// <summary>One token per byte; a token's label follows from its byte alone, so that windows must not matter.</summary>
    private sealed class ByteScorer(int maxLength, int stride, bool wrapped = false) : ITokenScorer
    {
        private readonly WordEncoder _encoder = new(TinyModel.Tokenizer(wrapped), maxLength, stride);

        public int OutputCount => 3;

        public int Longest { get; private set; }

        public TokenizedRow Encode(TokenizedText text) => _encoder.Encode(text);

        public float[][] Forward(IReadOnlyList<int[]> rows)
        {
            Longest = Math.Max(Longest, rows.Max(row => row.Length));
            return [.. rows.Select(row => row.SelectMany(id => Enumerable.Range(0, 3).Select(output => output == LabelOf(id) ? 4f : 0)).ToArray())];
        }

        public void Save(Action<string, Action<Stream>> saveEntry) => throw new NotSupportedException();

        public void Dispose()
        {
        }

        /// <summary>Upper case begins an entity, digits go on.</summary>
        public static int LabelOf(int id) => id is >= 'A' and <= 'Z' ? 1 : id is >= '0' and <= '9' ? 2 : 0;
    }

    private TokenClassificationTransformer Bytes(int maxLength, int stride, bool wrapped = false) =>
        new(_ml, new ByteScorer(maxLength, stride, wrapped), ClassLabels.Text(s_tags), new() { BatchSize = 4, LookAhead = 8 });

    private static Texts[] Rows(int count)
    {
        var random = new Random(8);
        string[] words = ["plain", "EnD", "a1", "X", "é9", "...", "42", "B2B", "東", "\U0001F600"];
        return [.. Enumerable.Range(0, count).Select(row => new Texts
        {
            Text = row % 7 == 0 ? "" : string.Join(random.Next(2) == 0 ? " " : "  ", Enumerable.Range(0, random.Next(1, 40)).Select(_ => words[random.Next(words.Length)])),
        })];
    }

    [Theory]
    [InlineData(1000, 0, false)]
    [InlineData(16, 4, false)]
    [InlineData(9, 0, true)]
    [InlineData(5, 2, true)]
    public void Nothing_is_shifted_or_lost_whatever_the_windows(int maxLength, int stride, bool wrapped)
    {
        Texts[] rows = Rows(50);
        using TokenClassificationTransformer transformer = Bytes(maxLength, stride, wrapped);
        IDataView scored = transformer.Transform(_ml.Data.LoadFromEnumerable(rows));
        Tagged[] tagged = [.. _ml.Data.CreateEnumerable<Tagged>(scored, reuseRowObject: false)];
        Assert.Equal(rows.Length, tagged.Length);
        Assert.InRange(((ByteScorer)transformer.Scorer).Longest, 1, maxLength);
        var spans = new TagSpans(s_tags);
        for (int i = 0; i < rows.Length; i++)
        {
            string text = rows[i].Text;
            string[] words = [.. WordSplitter.Split(text).Select(word => text[word.Start..word.End])];
            Assert.Equal(words, tagged[i].Token);
            int[] labels = Array.ConvertAll(words, word => ByteScorer.LabelOf(System.Text.Encoding.UTF8.GetBytes(word)[^1]));
            Assert.Equal(labels, tagged[i].PredictedLabel.Select(key => (int)key - 1));
            Assert.Equal(words.Length, tagged[i].Probability.Length);
            Assert.All(tagged[i].Probability, probability => Assert.Equal(Math.Exp(4) / (Math.Exp(4) + 2), probability, 1e-6));

            Assert.Equal(spans.Find(labels).Count, tagged[i].Entity.Length);
            for (int entity = 0; entity < tagged[i].Entity.Length; entity++)
            {
                Assert.Equal(tagged[i].Entity[entity], text.Substring(tagged[i].EntityStart[entity], tagged[i].EntityLength[entity]));
                Assert.Equal("X", tagged[i].EntityLabel[entity]);
                Assert.Equal(tagged[i].Probability[0], tagged[i].EntityProbability[entity], 1e-6);
            }
        }
    }

    [Theory]
    [InlineData(1000, 0)]
    [InlineData(6, 1)]
    public void Given_tokens_keep_their_number_even_where_they_are_empty(int maxLength, int stride)
    {
        Words[] rows = [new() { Text = ["a", "B", "", "7 8", "9", "c"] }, new() { Text = [] }, new() { Text = [""] }, new() { Text = ["New", "Y0RK", "CITY"] }];
        using TokenClassificationTransformer transformer = Bytes(maxLength, stride);
        IDataView scored = transformer.Transform(_ml.Data.LoadFromEnumerable(rows));
        Assert.Null(scored.Schema.GetColumnOrNull("Token"));
        object[][] labels = [.. EstimatorContract.Values(scored, "PredictedLabel").Select(value => (object[])value)];
        Assert.Equal(rows.Select(row => row.Text.Length), labels.Select(row => row.Length));
        Assert.Equal([1u, 2u, 1u, 3u, 3u, 1u], labels[0]); // nothing of an empty token is read: the space before it
        Assert.Equal(["7 8 9"], ((object[])EstimatorContract.Values(scored, "Entity")[0]).Skip(1));
        Assert.Equal([1, 3], (object[])EstimatorContract.Values(scored, "EntityStart")[0]);
        Assert.Equal([1, 2], (object[])EstimatorContract.Values(scored, "EntityLength")[0]);
    }

    [Fact]
    public void A_transformer_keeps_the_contract_of_estimators_for_texts_and_for_tokens()
    {
        using var model = new TokenClassificationTransformer(_ml, new TokenClassifier(
            new TokenClassificationModel(TinyModel.Config(3), seed: 5), TinyModel.Tokenizer(), new() { MaxLength = 32 }), ClassLabels.Text(s_tags), new() { MaxLength = 32, BatchSize = 4 });
        IDataView numbers = _ml.Data.LoadFromEnumerable([new { Text = 1f }]), nothing = _ml.Data.LoadFromEnumerable([new { Other = "x" }]);
        EstimatorContract.CheckTransformer(_ml, model, _ml.Data.LoadFromEnumerable(Rows(20)), numbers, nothing);
        EstimatorContract.CheckTransformer(_ml, model, _ml.Data.LoadFromEnumerable(new[] { new Words { Text = ["a", "bc"] }, new Words { Text = [] } }), numbers, nothing);
    }

    [Fact]
    public void Labels_are_those_of_the_model_at_the_last_token_of_each_word()
    {
        using var model = new TokenClassificationModel(TinyModel.Config(3), seed: 5);
        using var transformer = new TokenClassificationTransformer(_ml, new TokenClassifier(new TokenClassificationModel(TinyModel.Config(3), seed: 5), TinyModel.Tokenizer(), new()),
            ClassLabels.Text(s_tags), new());
        string[] texts = ["one two", "a", "three four five"];
        Tagged[] tagged = [.. _ml.Data.CreateEnumerable<Tagged>(transformer.Transform(_ml.Data.LoadFromEnumerable(texts.Select(text => new Texts { Text = text }))), reuseRowObject: false)];
        using var scope = TorchSharp.torch.NewDisposeScope();
        for (int i = 0; i < texts.Length; i++)
        {
            using var ids = TorchSharp.torch.tensor(texts[i].Select(c => (long)c).ToArray()).unsqueeze(0);
            using var probabilities = model.forward(ids).softmax(-1);
            (int Start, int End)[] words = [.. WordSplitter.Split(texts[i])];
            for (int word = 0; word < words.Length; word++)
            {
                Assert.Equal(probabilities[0, words[word].End - 1].argmax().item<long>() + 1, tagged[i].PredictedLabel[word]);
                Assert.Equal(probabilities[0, words[word].End - 1].max().item<float>(), tagged[i].Probability[word], 1e-5f);
            }
        }
    }

    [Fact]
    public void Wrong_options_are_refused_by_name()
    {
        Refuse<ArgumentOutOfRangeException>(new() { MaxLength = 8, Stride = 8 }, "Stride");
        Refuse<ArgumentOutOfRangeException>(new() { BatchSize = 0 }, "BatchSize");
        Refuse<ArgumentException>(new() { TokenColumnName = "Entity" }, "'Entity'");
        Refuse<ArgumentException>(new() { EntityColumnName = "" }, "EntityColumnName");
        Assert.Contains("max_position_embeddings", Assert.Throws<ArgumentOutOfRangeException>(() =>
            new TokenClassifier(new TokenClassificationModel(TinyModel.Config(3), seed: 5), TinyModel.Tokenizer(), new() { MaxLength = TinyModel.Context + 1 })).Message);

        void Refuse<T>(TokenClassificationSettings settings, string inMessage)
            where T : Exception =>
            Assert.Contains(inMessage, Assert.Throws<T>(() => new TokenClassificationTransformer(_ml, new ByteScorer(8, 0), ClassLabels.Text(s_tags), settings)).Message);
    }
}
