using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class QuestionAnsweringPipelineTests
{
    private readonly MLContext _ml = new(seed: 1);

    private sealed class Asked
    {
        public string Question { get; set; } = "";
        public string Context { get; set; } = "";
    }

    private sealed class Answered
    {
        public string Context { get; set; } = "";
        public string[] Answer { get; set; } = [];
        public float[] Score { get; set; } = [];
        public int[] AnswerStart { get; set; } = [];
    }

    private static Asked[] Rows(int count) => [.. Enumerable.Range(0, count).Select(row => new Asked
    {
        Question = $"Which {row}?",
        Context = row % 5 == 0 ? "" : string.Join(' ', Enumerable.Range(0, row * 3 % 40).Select(word => $"wörd{word}")),
    })];

    private QuestionAnsweringTransformer Transformer(QuestionAnsweringSettings settings) =>
        new(_ml, new QuestionAnsweringScorer(new QuestionAnsweringModel(TinyModel.Config(2), seed: 5), TinyModel.Tokenizer(), settings), settings);

    [Fact]
    public void A_transformer_keeps_the_contract_of_estimators()
    {
        using QuestionAnsweringTransformer transformer = Transformer(new() { MaxLength = 40, BatchSize = 4, TopK = 2 });
        EstimatorContract.CheckTransformer(_ml, transformer, _ml.Data.LoadFromEnumerable(Rows(20)),
            _ml.Data.LoadFromEnumerable([new { Question = "x" }]), _ml.Data.LoadFromEnumerable([new { Question = "x", Context = 1f }]));
    }

    [Fact]
    public void Answers_are_slices_of_the_context()
    {
        using QuestionAnsweringTransformer transformer = Transformer(new() { MaxLength = 40, BatchSize = 4, TopK = 4 });
        foreach (Answered row in _ml.Data.CreateEnumerable<Answered>(transformer.Transform(_ml.Data.LoadFromEnumerable(Rows(20))), reuseRowObject: false))
        {
            Assert.Equal((4, 4, 4), (row.Answer.Length, row.Score.Length, row.AnswerStart.Length));
            for (int rank = 0; rank < 4; rank++)
            {
                if (row.AnswerStart[rank] < 0) Assert.Equal(("", 0f), (row.Answer[rank], row.Score[rank]));
                else Assert.Equal(row.Context.Substring(row.AnswerStart[rank], row.Answer[rank].Length), row.Answer[rank]);
            }

            Assert.Equal(row.Context.Trim().Length > 0, row.AnswerStart[0] >= 0);
        }
    }

    [Fact]
    public void Wrong_options_are_refused_by_name()
    {
        Assert.Contains("TopK", Assert.Throws<ArgumentOutOfRangeException>(() => Transformer(new() { TopK = 0 })).Message);
        Assert.Contains("no room", Assert.Throws<ArgumentOutOfRangeException>(() => Transformer(new() { MaxLength = 40, MaxQuestionLength = 20, Stride = 20 })).Message);
        Assert.Contains("max_position_embeddings", Assert.Throws<ArgumentOutOfRangeException>(() => Transformer(new() { MaxLength = TinyModel.Context + 1 })).Message);
        Assert.Contains("'Score'", Assert.Throws<ArgumentException>(() => Transformer(new() { AnswerColumnName = "Score" })).Message);
    }
}
