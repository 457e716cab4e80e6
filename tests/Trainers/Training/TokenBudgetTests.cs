using Microsoft.ML;
using MLComponents.Models;

namespace MLComponents.Trainers.Tests;

/// <summary>Texts that lie behind each other, and steps of so many tokens.</summary>
public class TokenBudgetTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);

    public static IEnumerable<TheoryDataRow<string>> Heads() => EveryHead.Rows();

    [Theory]
    [MemberData(nameof(Heads))]
    public void Texts_behind_each_other_are_learnt_like_padded_ones_whatever_the_head(string head)
    {
        ProgressRecorder Run(bool packing, int most) => EveryHead.Fit(head, _ml, folder, options =>
            (options.Packing, options.MaxTokensPerBatch, options.Epochs, options.Precision, options.LearningRate, options.ValidationFraction) = (packing, most, 2, Precision.Float32, 1e-3, 0.25));
        ProgressRecorder padded = Run(false, 4096), packed = Run(true, 4096), parted = Run(true, 64);
        foreach (ProgressRecorder other in new[] { packed, parted })
        {
            Assert.Equal(padded.All.Count, other.All.Count);
            foreach ((TrainingProgress expected, TrainingProgress found) in padded.All.Zip(other.All))
            {
                Assert.Equal(expected.Loss, found.Loss, 1e-5 * Math.Max(1, expected.Loss));
                Assert.Equal(expected.GradientNorm, found.GradientNorm, 1e-4 * Math.Max(1, expected.GradientNorm));
                foreach (ValidationMetric loss in new[] { ValidationMetric.LogLoss, ValidationMetric.MeanSquaredError }.Where(metric => expected.Validation?.Metrics.ContainsKey(metric.Name) == true))
                    Assert.Equal(expected.Validation![loss], found.Validation![loss], 1e-5 * Math.Max(1, expected.Validation[loss]));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Heads))]
    public void The_steps_of_a_budget_are_known_before_and_the_schedule_ends_with_them(string head)
    {
        ProgressRecorder run = EveryHead.Fit(head, _ml, folder, options =>
            (options.TokensPerUpdate, options.Epochs, options.WarmupRatio, options.ShufflePoolSize, options.LearningRate) = (100, 3, 0, 24, 1e-3));
        TrainingProgress[] steps = [.. run.Steps];
        Assert.Equal(Enumerable.Range(1, steps.Length).Select(step => (long)step), steps.Select(step => step.Step));
        Assert.All(steps, step => Assert.Equal(steps.Length, step.Steps));
        Assert.Equal(3, steps[^1].Epoch);
        Assert.All(steps, step => Assert.Equal(1e-3 * (steps.Length - step.Step + 1) / steps.Length, step.LearningRate, 1e-12)); // one more step would have none
    }

    [Fact]
    public void Every_epoch_has_all_tokens_in_steps_of_no_more_than_asked_for()
    {
        long[] tokens = [.. Tickets.Rows(64).Select(row => (long)row.Text.Length)];
        ProgressRecorder run = EveryHead.Fit("one label", _ml, folder, options => (options.TokensPerUpdate, options.Epochs, options.BatchSize) = (150, 2, 1));
        foreach (IGrouping<int, TrainingProgress> epoch in run.Steps.GroupBy(step => step.Epoch))
            Assert.InRange(epoch.Count(), (int)Math.Ceiling(tokens.Sum() / 150.0), (int)(1.4 * tokens.Sum() / 150));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Parts_have_no_more_tokens_than_are_read_at_once(bool packs)
    {
        using SequenceClassificationModel model = TinyModel.Model(2);
        var texts = new TextBatches(model, 0, packs, arePooled: true);
        var random = new Random(1);
        foreach (int most in (int[])[1, 7, 40, 200, 100_000])
        {
            int[] lengths = [.. Enumerable.Range(0, 50).Select(_ => random.Next(1, 30))];
            texts.TokensAtOnce = most;
            IReadOnlyList<int[]> parts = texts.Parts(lengths);
            Assert.Equal(Enumerable.Range(0, 50), parts.SelectMany(part => part).Order());
            Assert.All(parts, part => Assert.True(part.Length == 1 || texts.LayOut([.. part.Select(text => lengths[text])]).Tokens <= most));
            if (most == 100_000) Assert.Single(parts);
        }

        Assert.Empty(texts.Parts([]));
    }

    [Fact]
    public void Texts_of_one_length_need_no_padding_and_others_next_to_none()
    {
        using SequenceClassificationModel model = TinyModel.Model(2);
        var packed = new TextBatches(model, 0, packs: true, arePooled: true);
        var padded = new TextBatches(model, 0, packs: false, arePooled: true);
        Assert.Equal(32 * 14, packed.LayOut([.. Enumerable.Repeat(14, 32)]).Tokens);
        Assert.Single(packed.LayOut([.. Enumerable.Repeat(14, 32)]).Groups);
        int[] lengths = [.. Enumerable.Range(0, 400).Select(text => 5 + (text % 8 * 100))];
        Assert.Equal(lengths.Sum(), packed.LayOut(lengths).Tokens);
        Assert.Equal(400 * 705, padded.LayOut(lengths).Tokens);
    }
}
