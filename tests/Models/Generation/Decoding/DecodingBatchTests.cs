using static MLComponents.Models.Tests.BatchReading;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class DecodingBatchTests
{
    public static TheoryData<string> Models => [.. CacheModels.Names];

    [Theory]
    [MemberData(nameof(Models))]
    public void Rows_of_different_lengths_get_the_logits_they_get_alone(string name)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        using TorchDecodingBatch batch = new TorchDecodingModel(model).NewBatch(Texts.Length, canForget: false);
        float[] logits = Read(batch, Texts);
        float[] next = Read(batch, [[3], [4], [5], [6]]);

        for (int row = 0; row < Texts.Length; row++)
        {
            AssertClose(Alone(model, Texts[row]), Row(logits, row));
            AssertClose(Alone(model, [.. Texts[row], 3 + row]), Row(next, row));
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Rows_that_join_leave_and_change_places_go_on_as_if_alone(string name)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        var decoding = new TorchDecodingModel(model);
        using TorchDecodingBatch batch = decoding.NewBatch(2, canForget: false);
        using TorchDecodingBatch late = decoding.NewBatch(2, canForget: false);
        Read(batch, [Texts[1], Texts[3]]);
        for (int step = 0; step < 4; step++) Read(batch, [[10 + step], [20 + step]]);
        Read(late, [Texts[0], Texts[2]]);

        batch.Join(late);
        float[] joined = Read(batch, [[30], [31], [32], [33]]);
        batch.Select([3, 0, 0]);
        float[] selected = Read(batch, [[34], [35], [36]]);

        Assert.Equal(0, late.RowCount);
        AssertClose(Alone(model, [.. Texts[1], 10, 11, 12, 13, 30]), Row(joined, 0));
        AssertClose(Alone(model, [.. Texts[3], 20, 21, 22, 23, 31]), Row(joined, 1));
        AssertClose(Alone(model, [.. Texts[0], 32]), Row(joined, 2));
        AssertClose(Alone(model, [.. Texts[2], 33]), Row(joined, 3));
        AssertClose(Alone(model, [.. Texts[2], 33, 34]), Row(selected, 0));
        AssertClose(Alone(model, [.. Texts[1], 10, 11, 12, 13, 30, 35]), Row(selected, 1));
        AssertClose(Alone(model, [.. Texts[1], 10, 11, 12, 13, 30, 36]), Row(selected, 2));
        Assert.Equal([.. Texts[2], 33, 34], batch.TokensOf(0).ToArray());

        // When all rows have left, others may come.
        batch.Select([]);
        Read(late, []);
        using TorchDecodingBatch fresh = decoding.NewBatch(1, canForget: false);
        Read(fresh, [Texts[0]]);
        batch.Join(fresh);
        AssertClose(Alone(model, [.. Texts[0], 7]), Row(Read(batch, [[7]]), 0));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Forgotten_tokens_leave_no_trace_and_a_clone_goes_its_own_way(string name)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        using TorchDecodingBatch batch = new TorchDecodingModel(model).NewBatch(2, canForget: true);
        Read(batch, [Texts[0], Texts[2]]);
        Read(batch, [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]]);

        batch.Forget(4);
        using IDecodingBatch clone = batch.Clone();
        float[] ours = Read(batch, [[9], [9]]), theirs = Read(clone, [[8, 8], [8, 8]]);

        AssertClose(Alone(model, [.. Texts[0], 1, 2, 9]), Row(ours, 0));
        AssertClose(Alone(model, [.. Texts[2], 6, 5, 9]), Row(ours, 1));
        AssertClose(Alone(model, [.. Texts[0], 1, 2, 8, 8]), Row(theirs, 0));
        Assert.Equal([.. Texts[0], 1, 2, 9], batch.TokensOf(0).ToArray());
    }

    [Fact]
    public void Scored_positions_and_hidden_states_are_those_of_the_last_tokens()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        using TorchDecodingBatch batch = new TorchDecodingModel(model).NewBatch(1, canForget: false);
        int[] text = Texts[0];
        float[] logits = new float[3 * 60], hidden = new float[3 * 24];

        batch.Read(text, [text.Length], 3, logits, hidden);

        using CausalLanguageModelOutput expected = model.Forward(new DecoderInput { InputIds = tensor(text).unsqueeze(0) }, 3);
        AssertClose(expected.Logits.flatten().data<float>().ToArray(), logits);
        AssertClose(expected.Decoder.LastHiddenState.narrow(1, text.Length - 3, 3).flatten().data<float>().ToArray(), hidden);
    }

    [Fact]
    public void Rows_that_have_read_something_cannot_read_different_numbers_of_tokens()
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        using TorchDecodingBatch batch = new TorchDecodingModel(model).NewBatch(2, canForget: false);
        Read(batch, [[3, 4], [5]]);

        Assert.Throws<ArgumentException>(() => Read(batch, [[3, 4], [5]]));
        Assert.Throws<ArgumentException>(() => Read(batch, [[3]]));
        Assert.Contains("60", Assert.Throws<ArgumentOutOfRangeException>(() => Read(batch, [[60], [1]])).Message);
    }

    [Fact]
    public void Batches_leave_no_tensor_behind()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2, some layers slide"), seed: 1);
        var decoding = new TorchDecodingModel(model);
        LeakTests.AssertSteady(() =>
        {
            using TorchDecodingBatch batch = decoding.NewBatch(4, canForget: false), late = decoding.NewBatch(1, canForget: false);
            Read(batch, Texts);
            for (int step = 0; step < 9; step++) Read(batch, [[3], [4], [5], [6]]);
            Read(late, [Texts[0]]);
            batch.Join(late);
            batch.Select([4, 1]);
            using IDecodingBatch clone = batch.Clone();
            Read(clone, [[1], [2]]);
        });
    }

    private static float[] Read(IDecodingBatch batch, int[][] tokens)
    {
        var logits = new float[tokens.Length * 60];
        if (tokens.Length > 0 || batch.RowCount > 0) batch.Read([.. tokens.SelectMany(row => row)], [.. tokens.Select(row => row.Length)], 1, logits);
        return logits;
    }

    private static float[] Row(float[] logits, int row) => logits[(60 * row)..(60 * (row + 1))];

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int index = 0; index < expected.Length; index++) Assert.Equal(expected[index], actual[index], 1e-4f);
    }
}
