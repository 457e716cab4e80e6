using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class ChunkedCrossEntropyTests
{
    private const int Rows = 37, Width = 16, Classes = 131;

    public static TheoryData<ScalarType, bool, double, int?> Forms => new()
    {
        { ScalarType.Float32, false, 0, null },
        { ScalarType.Float32, true, 0, 10 },
        { ScalarType.Float32, true, 0.1, 37 },
        { ScalarType.Float32, false, 1, 1 },
        { ScalarType.Float64, true, 0.1, 10 },
        { ScalarType.BFloat16, false, 0, null },
        { ScalarType.BFloat16, true, 0.1, 10 },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Loss_and_gradients_equal_those_of_all_scores_at_once(ScalarType dtype, bool hasBias, double smoothing, int? rowsAtOnce)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        (Tensor hidden, Parameter weight, Parameter? bias, long[] labels) = Sample(dtype, hasBias);
        Tensor actual = ChunkedCrossEntropy.Apply(hidden, weight, bias, labels, divisor: 50, smoothing, rowsAtOnce);
        (actual * 3).backward();

        // In single precision from the same rounded numbers: what bfloat16 rounds on the way is what the tolerance allows.
        ScalarType wide = dtype == ScalarType.BFloat16 ? ScalarType.Float32 : dtype;
        Tensor Twin(Tensor tensor) => tensor.detach().to(wide, copy: true).requires_grad_();
        (Tensor h, Tensor w, Tensor? b) = (Twin(hidden), Twin(weight), bias is null ? null : Twin(bias));
        Tensor expected = CrossEntropy.Mean(nn.functional.linear(h, w, b), tensor(labels), labelSmoothing: smoothing) * Rows / 50;
        (expected * 3).backward();

        double tolerance = dtype == ScalarType.BFloat16 ? 0.01 : 1e-5;
        Assert.Equal(ScalarType.Float32, actual.dtype);
        Assert.Equal(expected.ToDouble(), actual.ToDouble(), tolerance);
        Near(h, hidden);
        Near(w, weight);
        if (bias is not null) Near(b!, bias);

        void Near(Tensor wanted, Tensor found)
        {
            Assert.Equal(dtype, found.grad!.dtype);
            TensorAssert.Within(wanted.grad!, found.grad!, tolerance * TensorAssert.Largest(wanted.grad!), "gradient");
        }
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    [InlineData(false, false, false)]
    public void Only_the_gradients_that_are_wanted_are_given(bool ofHidden, bool ofWeight, bool ofBias)
    {
        using var scope = NewDisposeScope();
        (Tensor hidden, Parameter weight, Parameter? bias, long[] labels) = Sample(ScalarType.Float32, hasBias: true);
        hidden.requires_grad = ofHidden;
        weight.requires_grad = ofWeight;
        bias!.requires_grad = ofBias;

        Tensor loss = ChunkedCrossEntropy.Apply(hidden, weight, bias, labels, Rows);
        if (loss.requires_grad) loss.backward();

        Assert.Equal(ofHidden || ofWeight || ofBias, loss.requires_grad);
        Assert.Equal((ofHidden, ofWeight, ofBias), (hidden.grad is not null, weight.grad is not null, bias.grad is not null));
        Assert.Equal(CrossEntropy.Mean(nn.functional.linear(hidden, weight, bias), tensor(labels)).item<float>(), loss.item<float>(), 1e-5);
    }

    [Fact]
    public void Without_rows_the_loss_is_zero_over_what_it_is_divided_by()
    {
        using var scope = NewDisposeScope();
        (Tensor hidden, Parameter weight, Parameter? bias, _) = Sample(ScalarType.Float32, hasBias: true);
        Tensor none = hidden.narrow(0, 0, 0);

        Tensor loss = ChunkedCrossEntropy.Apply(none, weight, bias, [], divisor: 4);
        loss.backward();

        Assert.Equal(0, loss.item<float>());
        Assert.Equal(0, weight.grad!.abs().sum().item<float>());
        Assert.True(float.IsNaN(ChunkedCrossEntropy.Apply(none, weight, bias, [], divisor: 0).item<float>()));
    }

    [Theory]
    [InlineData(ScalarType.Float32, 8)]
    [InlineData(ScalarType.Float32, 1003)]
    [InlineData(ScalarType.BFloat16, 5)]
    [InlineData(ScalarType.BFloat16, 1003)]
    public void Rows_equal_their_twin_of_tensor_operators(ScalarType dtype, int width)
    {
        using var scope = NewDisposeScope();
        manual_seed(width);
        Tensor scores = (randn(9, width) * 20).to(dtype), twin = scores.clone();
        long[] labels = [.. Enumerable.Range(0, 9).Select(row => (long)(row * 7 % width))];

        double[] actual = CrossEntropyRows.Compute(scores, labels, 0.2, gradientScale: 0.5), expected = CrossEntropyRows.ByOperators(twin, labels, 0.2, gradientScale: 0.5);

        for (int row = 0; row < 9; row++) Assert.Equal(expected[row], actual[row], 1e-4);
        TensorAssert.Within(twin, scores, dtype == ScalarType.Float32 ? 1e-5 : 0.002, "gradient");
    }

    [Fact]
    public void Scores_stay_where_no_gradient_is_wanted()
    {
        using var scope = NewDisposeScope();
        Tensor scores = randn(3, 20), before = scores.clone();
        CrossEntropyRows.Compute(scores, new long[] { 1, 2, 3 }, 0, gradientScale: null);
        Assert.True(scores.eq(before).all().item<bool>());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void What_is_not_a_number_shows_in_loss_and_gradient(float value)
    {
        using var scope = NewDisposeScope();
        Tensor scores = zeros(1, 20);
        scores[0, 17] = value;
        double[] losses = CrossEntropyRows.Compute(scores, new long[] { 1 }, 0, gradientScale: 1);
        Assert.True(double.IsNaN(losses[0]));
        Assert.True(scores.isnan().any().item<bool>());
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        using var scope = NewDisposeScope();
        (Tensor hidden, Parameter weight, Parameter? bias, long[] labels) = Sample(ScalarType.BFloat16, hasBias: true);
        LeakTests.AssertSteady(() =>
        {
            using (NewDisposeScope()) ChunkedCrossEntropy.Apply(hidden, weight, bias, labels, Rows, rowsAtOnce: 10).backward();
            foreach (Tensor tensor in (Tensor[])[hidden, weight, bias!])
            {
                tensor.grad?.Dispose();
                tensor.grad = null;
            }
        });
    }

    private static (Tensor Hidden, Parameter Weight, Parameter? Bias, long[] Labels) Sample(ScalarType dtype, bool hasBias) => (
        randn(Rows, Width).to(dtype).requires_grad_(), new Parameter((randn(Classes, Width) / 2).to(dtype)), hasBias ? new Parameter(randn(Classes).to(dtype)) : null,
        [.. Enumerable.Range(0, Rows).Select(row => (long)(row * 11 % Classes))]);
}
