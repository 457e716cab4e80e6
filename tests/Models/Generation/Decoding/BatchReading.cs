using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Batches of tokens read in one way or another, beside a forward pass.</summary>
internal static class BatchReading
{
    /// <summary>Texts of different lengths.</summary>
    public static readonly int[][] Texts = [[5, 9, 33, 41, 8, 17, 22], [4, 50], [12, 7, 7, 30], [44]];

    public static TheoryData<string, string> ModelsAndWidths()
    {
        var rows = new TheoryData<string, string>();
        foreach (string name in CacheModels.Names)
            foreach (string width in Enum.GetNames<VectorWidth>())
                rows.Add(name, width);
        return rows;
    }

    /// <summary>Texts of different lengths, tokens one by one, several at once, rows that are copied: all as by forward passes.</summary>
    public static void CompareSteps(CausalLanguageModel model, FusedDecodingModel decoding)
    {
        using IDecodingBatch expected = new TorchDecodingModel(model).NewBatch(4, canForget: true);
        using IDecodingBatch fused = decoding.NewBatch(4, canForget: true);
        if (FusedWeights.WhyNot(model) is null) Assert.IsType<FusedDecodingBatch>(fused);
        Compare(Texts);
        for (int step = 0; step < 4; step++) Compare([[3 + step], [20 + step], [40 - step], [7]]);
        Compare([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]);
        expected.Select([2, 1, 1, 0, 3]);
        fused.Select([2, 1, 1, 0, 3]);
        for (int step = 0; step < 4; step++) Compare([[3 + step], [20 + step], [40 - step], [7], [30]]);

        void Compare(int[][] tokens) => AssertClose(Read(expected, tokens, model.Config.VocabularySize), Read(fused, tokens, model.Config.VocabularySize));
    }

    public static float[] Read(IDecodingBatch batch, int[][] tokens, int vocabulary = 60)
    {
        var logits = new float[tokens.Length * vocabulary];
        batch.Read([.. tokens.SelectMany(row => row)], [.. tokens.Select(row => row.Length)], 1, logits);
        return logits;
    }

    public static float[] Row(CausalLanguageModel model, float[] logits, int row) =>
        logits[(model.Config.VocabularySize * row)..(model.Config.VocabularySize * (row + 1))];

    public static float[] Alone(CausalLanguageModel model, int[] text)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModelOutput output = model.Forward(new DecoderInput { InputIds = tensor(text).unsqueeze(0) }, 1);
        return output.Logits.flatten().data<float>().ToArray();
    }

    public static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double scale = Math.Max(1, expected.Max(Math.Abs)), difference = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(difference <= 1e-4 * scale, $"The largest difference is {difference:E2} at a scale of {scale:F2}.");
    }
}
