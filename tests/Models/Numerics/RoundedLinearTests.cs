using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class RoundedLinearTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Products_and_gradients_are_float32_ones_rounded_once(bool hasBias)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        Tensor input = randn(2, 5, 24).bfloat16().requires_grad_(), weight = randn(16, 24).bfloat16().requires_grad_();
        Tensor? bias = hasBias ? randn(16).bfloat16().requires_grad_() : null;
        Tensor slope = randn(2, 5, 16).bfloat16();
        Tensor wideInput = Widen(input), wideWeight = Widen(weight);
        Tensor? wideBias = bias is null ? null : Widen(bias);

        Tensor actual = RoundedLinear.Apply(input, weight, bias);
        Tensor expected = nn.functional.linear(wideInput, wideWeight, wideBias);
        actual.backward(grad_tensors: [slope]);
        expected.backward(grad_tensors: [slope.to_type(ScalarType.Float32)]);

        AssertRounded(expected, actual);
        AssertRounded(wideInput.grad!, input.grad!);
        AssertRounded(wideWeight.grad!, weight.grad!);
        if (bias is not null) AssertRounded(wideBias!.grad!, bias.grad!);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Products_that_are_computed_some_outputs_after_the_other_are_the_same(bool hasBias)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        const long Rows = FloatBuffers.MostKept / 512, Outputs = 1200;
        Tensor input = randn(2, Rows / 2, 4).bfloat16(), weight = randn(Outputs, 4).bfloat16();
        Tensor? bias = hasBias ? randn(Outputs).bfloat16() : null;
        Tensor actual = RoundedLinear.Apply(input, weight, bias);
        Assert.Equal([2, Rows / 2, Outputs], actual.shape);
        AssertRounded(nn.functional.linear(Widen(input), Widen(weight), bias is null ? null : Widen(bias)), actual);
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    [InlineData(true, false, true)]
    public void Gradients_that_nobody_asked_for_are_not_computed_and_the_others_are_the_same(bool ofInput, bool ofWeight, bool ofBias)
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        Tensor[] values = [randn(2, 3, 8).bfloat16(), randn(5, 8).bfloat16(), randn(5).bfloat16()];
        bool[] wanted = [ofInput, ofWeight, ofBias];
        Tensor[] all = [.. values.Select(value => value.clone().requires_grad_())];
        Tensor[] some = [.. values.Zip(wanted, (value, want) => value.clone().requires_grad_(want))];
        Tensor slope = randn(2, 3, 5).bfloat16();

        RoundedLinear.Apply(all[0], all[1], all[2]).backward(grad_tensors: [slope]);
        RoundedLinear.Apply(some[0], some[1], some[2]).backward(grad_tensors: [slope]);

        for (int i = 0; i < values.Length; i++)
        {
            if (wanted[i]) Assert.True(some[i].grad!.equal(all[i].grad!).all().item<bool>());
            else Assert.True(some[i].grad is null);
        }
    }

    [Fact]
    public void Results_stay_when_the_memory_of_their_products_is_used_again()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var products = new List<(Tensor Input, Tensor Weight, Tensor Output)>();
        foreach ((long rows, long inWidth, long outWidth) in new[] { (3L, 8L, 5L), (700L, 64L, 96L), (2L, 16L, 4L), (0L, 8L, 5L), (2200L, 8L, 2000L), (5L, 8L, 8L) })
        {
            Tensor input = randn(rows, inWidth).bfloat16(), weight = randn(outWidth, inWidth).bfloat16();
            using (inference_mode(products.Count % 2 == 0)) products.Add((input, weight, RoundedLinear.Apply(input, weight, null)));
        }

        foreach ((Tensor input, Tensor weight, Tensor output) in products)
        {
            Assert.Equal([input.shape[0], weight.shape[0]], output.shape);
            if (output.numel() > 0) AssertRounded(Widen(input).matmul(Widen(weight).t()), output);
        }
    }

    [Fact]
    public async Task Callers_on_several_threads_do_not_share_memory()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(caller => Task.Run(() =>
        {
            for (int round = 0; round < 20; round++)
            {
                using var scope = NewDisposeScope();
                Tensor input = full(40 + round, 8, caller + 1, ScalarType.BFloat16), weight = ones(16, 8, ScalarType.BFloat16).requires_grad_();
                Tensor output = RoundedLinear.Apply(input, weight, null);
                output.sum().backward();
                Assert.True(output.eq(8 * (caller + 1)).all().item<bool>());
                Assert.True(weight.grad!.to_type(ScalarType.Float32).sub((caller + 1) * (40 + round)).abs().max().item<float>() <= 2);
            }
        })));
    }

    [Fact]
    public void Nothing_is_left_behind_by_a_pass_and_its_gradient()
    {
        using Tensor weight = randn(8, 8).bfloat16().requires_grad_();
        long before = 0;
        for (int round = 0; round < 4; round++)
        {
            using (var scope = NewDisposeScope())
            {
                Tensor output = RoundedLinear.Apply(randn(3, 8).bfloat16().requires_grad_(), weight, null);
                output.sum().backward();
                using Tensor? gradient = weight.grad;
                weight.grad = null;
            }

            long live = Tensor.TotalCount;
            if (round == 1) before = live;
            if (round > 1) Assert.Equal(before, live);
        }
    }

    private static Tensor Widen(Tensor tensor) => tensor.detach().to_type(ScalarType.Float32).requires_grad_();

    private static void AssertRounded(Tensor expected, Tensor actual)
    {
        Tensor difference = (expected - actual.to_type(ScalarType.Float32)).abs();
        Assert.True((difference <= expected.abs() / 256 + 1e-6).all().item<bool>(), $"largest difference {difference.max().item<float>()}");
    }
}
