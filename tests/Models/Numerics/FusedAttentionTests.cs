using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class FusedAttentionTests
{
    public static TheoryData<int, int, int, int, string> Shapes() => new()
    {
        { 6, 6, 7, 7, "causal" },
        { 6, 2, 7, 7, "causal" },
        { 6, 2, 5, 9, "rows" },
        { 6, 2, 1, 9, "rows" },
        { 6, 2, 1, 9, "heads" },
        { 6, 1, 1, 9, "none" },
        { 4, 4, 3, 8, "none" },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_way_gives_the_results_and_gradients_of_the_equation(int heads, int groups, int queries, int keys, string mask)
    {
        using var scope = NewDisposeScope();
        Tensor[] inputs = Inputs(heads, groups, queries, keys);
        Tensor? additive = Mask(mask, heads, queries, keys);
        bool isCausal = mask == "causal";
        Tensor[] expected = Run(inputs, (q, k, v) => Equation(q, k, v, additive, isCausal));

        Tensor[] fused = Run(inputs, (q, k, v) => FusedAttention.Fused(q, k, v, additive, isCausal, 0));
        Tensor[] composed = Run(inputs, (q, k, v) => FusedAttention.Composed(q, k, v, additive, isCausal, 0, out _));

        for (int item = 0; item < expected.Length; item++)
        {
            TensorAssert.Within(expected[item], fused[item], 1e-5, $"fused {item}");
            TensorAssert.Within(expected[item], composed[item], 1e-5, $"composed {item}");
        }
    }

    [Theory]
    [InlineData(300, 6, 2)]
    [InlineData(128, 3, 3)]
    [InlineData(129, 4, 1)]
    public void Blocks_of_queries_give_what_all_at_once_give(int length, int heads, int groups)
    {
        using var scope = NewDisposeScope();
        Tensor[] inputs = Inputs(heads, groups, length, length);

        Tensor blocked = FusedAttention.Blocked(inputs[0].detach(), inputs[1].detach(), inputs[2].detach());

        TensorAssert.Within(FusedAttention.Fused(inputs[0], inputs[1], inputs[2], null, true, 0).detach(), blocked, 1e-5, "blocked");
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void In_bfloat16_every_way_is_within_its_rounding_of_the_equation(int heads, int groups, int queries, int keys, string mask)
    {
        using var scope = NewDisposeScope();
        Tensor[] inputs = [.. Inputs(heads, groups, queries, keys).Select(input => input.detach().bfloat16().requires_grad_())];
        Tensor? additive = Mask(mask, heads, queries, keys);
        Tensor? rounded = additive?.bfloat16();
        bool isCausal = mask == "causal";
        Tensor[] expected = Run(
            [.. inputs.Select(input => input.detach().to(ScalarType.Float32).requires_grad_())], (q, k, v) => Equation(q, k, v, additive, isCausal));

        Tensor[] chosen = Run(inputs, (q, k, v) => FusedAttention.Apply(q, k, v, rounded, isCausal, 0));
        Tensor[] widened = Run(inputs, (q, k, v) => FusedAttention.Widened(q, k, v, rounded, isCausal, 0));
        Tensor[] composed = Run(inputs, (q, k, v) => FusedAttention.Composed(q, k, v, rounded, isCausal, 0, out _));

        for (int item = 0; item < expected.Length; item++)
        {
            double scale = TensorAssert.Largest(expected[item]);
            Assert.All([chosen[item], widened[item], composed[item]], tensor => Assert.Equal(ScalarType.BFloat16, tensor.dtype));
            TensorAssert.Within(expected[item], widened[item], 0.01 * scale, $"widened {item}");
            TensorAssert.Within(expected[item], composed[item], 0.04 * scale, $"composed {item}");
            TensorAssert.Within(expected[item], chosen[item], 0.04 * scale, $"chosen {item}");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Long_texts_without_gradients_are_within_the_rounding_of_the_equation(bool isCausal)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        Tensor[] inputs = [.. Inputs(4, 2, 520, 520).Select(input => input.detach().bfloat16())];
        Tensor expected = Equation(inputs[0].to(ScalarType.Float32), inputs[1].to(ScalarType.Float32), inputs[2].to(ScalarType.Float32), null, isCausal);
        Tensor found = FusedAttention.Apply(inputs[0], inputs[1], inputs[2], null, isCausal, 0);
        Assert.Equal(ScalarType.BFloat16, found.dtype);
        TensorAssert.Within(expected, found, 0.04 * TensorAssert.Largest(expected), "attended");
    }

    private static Tensor Equation(Tensor queries, Tensor keys, Tensor values, Tensor? additive, bool isCausal)
    {
        long group = queries.shape[1] / keys.shape[1];
        Tensor scores = queries.matmul(keys.repeat_interleave(group, 1).transpose(-2, -1)) / Math.Sqrt(queries.shape[3]);
        if (additive is not null) scores = scores + additive;
        if (isCausal) scores = scores.masked_fill(ones_like(scores).triu(1) != 0, float.NegativeInfinity);
        return scores.softmax(-1).matmul(values.repeat_interleave(group, 1));
    }

    /// <summary>The result and the gradients of queries, keys and values.</summary>
    private static Tensor[] Run(Tensor[] inputs, Func<Tensor, Tensor, Tensor, Tensor> attend)
    {
        foreach (Tensor input in inputs) input.grad = null;
        Tensor result = attend(inputs[0], inputs[1], inputs[2]);
        result.backward(grad_tensors: [arange(result.NumberOfElements).to(ScalarType.Float32).cos().view(result.shape).to(result.dtype)]);
        return [result.detach(), .. inputs.Select(input => input.grad!.clone())];
    }

    private static Tensor[] Inputs(int heads, int groups, int queries, int keys)
    {
        manual_seed(3);
        return
        [
            randn(2, queries, heads, 8).transpose(1, 2).detach().requires_grad_(),
            randn(2, keys, groups, 8).transpose(1, 2).detach().requires_grad_(),
            randn(2, keys, groups, 8).transpose(1, 2).detach().requires_grad_(),
        ];
    }

    private static Tensor? Mask(string kind, int heads, int queries, int keys) => kind switch
    {
        "rows" => randn(2, 1, queries, keys),
        "heads" => randn(2, heads, queries, keys),
        _ => null,
    };
}
