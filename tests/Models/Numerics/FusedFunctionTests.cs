using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Functions of one pass against the same by tensor operators, values and gradients.</summary>
public class FusedFunctionTests
{
    public static TheoryData<ScalarType, long[]> Shapes => new()
    {
        { ScalarType.Float32, [3, 5, 24] },
        { ScalarType.Float32, [2, 301, 129] }, // several groups of rows, and a tail in each row
        { ScalarType.Float32, [1, 1, 7] },
        { ScalarType.BFloat16, [3, 5, 24] },
        { ScalarType.BFloat16, [2, 301, 129] },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_norm_equals_its_operators(ScalarType dtype, long[] shape)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        Parameter weight = new((randn(shape[2]) + 1).to(dtype));
        Compare(dtype, [randn(shape).to(dtype)], weight, (inputs, w) => FusedRootMeanSquare.Apply(inputs[0], w!, 1e-5), (inputs, w) =>
        {
            Tensor x = inputs[0];
            return x * (x.square().mean([-1], keepdim: true) + 1e-5).rsqrt() * w!;
        });
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_gate_equals_its_operators(ScalarType dtype, long[] shape)
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        Tensor gate = (randn(shape) * 3).to(dtype), up = randn(shape).to(dtype);
        Compare(dtype, [gate, up], null, (inputs, _) => FusedSiluGate.Apply(inputs[0], inputs[1]), (inputs, _) => nn.functional.silu(inputs[0]) * inputs[1]);
        Compare(dtype, [cat([gate, up], -1)], null, (inputs, _) => FusedSiluGate.Apply(inputs[0]), (inputs, _) =>
            nn.functional.silu(inputs[0].narrow(-1, 0, shape[2])) * inputs[0].narrow(-1, shape[2], shape[2]));
    }

    [Theory]
    [InlineData(ScalarType.Float32, 16, false)]
    [InlineData(ScalarType.Float32, 6, false)]
    [InlineData(ScalarType.Float32, 16, true)]
    [InlineData(ScalarType.BFloat16, 12, true)]
    [InlineData(ScalarType.BFloat16, 16, false)]
    public void The_turn_equals_its_operators(ScalarType dtype, int size, bool ofEachRow)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        (int batch, int heads, int length, int width) = (3, 5, 7, 16);
        Tensor half = randn(ofEachRow ? [batch, 1, length, size / 2] : [length, size / 2]), cosines = half.cos(), sines = half.sin();
        RotaryTable table = new RotaryTable(cat([cosines, cosines], -1), cat([-sines, sines], -1), size).As(dtype);

        // As projections leave them: by token, and a part of something larger.
        Tensor projected = randn(batch, length, 2 * heads * width).to(dtype);
        Compare(
            dtype, [projected], null, (inputs, _) => FusedRotation.Apply(Heads(inputs[0]), table),
            (inputs, _) =>
            {
                Tensor x = Heads(inputs[0]), turned = x.narrow(-1, 0, size);
                RotaryTable wide = table.As(ScalarType.Float32);
                return cat([(turned * wide.Cosines) + (turned.roll(size / 2, -1) * wide.SignedSines), x.narrow(-1, size, width - size)], -1);
            });

        Tensor Heads(Tensor all) => all.narrow(2, heads * width, heads * width).view(batch, length, heads, width).transpose(1, 2);
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        using var scope = NewDisposeScope();
        Tensor x = randn(3, 8).bfloat16().requires_grad_(), heads = randn(1, 2, 3, 4).bfloat16().requires_grad_();
        var weight = new Parameter(ones(8).bfloat16());
        RotaryTable table = new RotaryTable(ones(3, 4), zeros(3, 4), 4).As(ScalarType.BFloat16);
        LeakTests.AssertSteady(() =>
        {
            using (NewDisposeScope())
            {
                (FusedSiluGate.Apply(FusedRootMeanSquare.Apply(x, weight, 1e-5), x).sum() + FusedRotation.Apply(heads, table).sum()).backward();
                using var noGradient = no_grad();
                FusedSiluGate.Apply(FusedRootMeanSquare.Apply(x, weight, 1e-5));
                FusedRotation.Apply(heads, table);
            }

            foreach (Tensor tensor in (Tensor[])[x, heads, weight])
            {
                tensor.grad?.Dispose();
                tensor.grad = null;
            }
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void The_gradient_of_the_norms_weight_has_the_same_bits_for_any_number_of_threads(int threads)
    {
        using var scope = NewDisposeScope();
        float[] Run(int count)
        {
            int before = get_num_threads();
            set_num_threads(count);
            try
            {
                manual_seed(4);
                var weight = new Parameter(ones(129));
                FusedRootMeanSquare.Apply(randn(2000, 129), weight, 1e-5).square().sum().backward();
                return weight.grad!.data<float>().ToArray();
            }
            finally
            {
                set_num_threads(before);
            }
        }

        Assert.Equal(Run(2), Run(threads));
    }

    /// <summary>Without and with gradient, against the operators in single precision from the same numbers; bfloat16 may be off by what it rounds.</summary>
    private static void Compare(ScalarType dtype, Tensor[] inputs, Parameter? weight, Func<Tensor[], Tensor?, Tensor> fused, Func<Tensor[], Tensor?, Tensor> operators)
    {
        double tolerance = dtype == ScalarType.Float32 ? 1e-5 : 0.01;
        Tensor[] own = [.. inputs.Select(input => input.clone().requires_grad_())], twins = [.. inputs.Select(input => input.to(ScalarType.Float32, copy: true).requires_grad_())];
        Tensor? twinWeight = weight?.detach().to(ScalarType.Float32, copy: true).requires_grad_();
        Tensor actual = fused(own, weight), expected = operators(twins, twinWeight);
        Near(expected, actual, "value");
        using (no_grad()) Assert.True(fused(own, weight).eq(actual).all().item<bool>());

        Tensor gradient = randn(expected.shape).to(dtype);
        actual.backward([gradient]);
        expected.backward([gradient.to(ScalarType.Float32)]);
        for (int i = 0; i < own.Length; i++) Near(twins[i].grad!, own[i].grad!, $"gradient {i}");
        if (weight is not null) Near(twinWeight!.grad!, weight.grad!, "gradient of the weight");

        void Near(Tensor wanted, Tensor found, string what)
        {
            Assert.Equal(dtype, found.dtype);
            TensorAssert.Within(wanted, found, tolerance * Math.Max(1, TensorAssert.Largest(wanted)), what);
        }
    }
}
