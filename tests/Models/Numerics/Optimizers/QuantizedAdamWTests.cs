using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public unsafe class QuantizedAdamWTests
{
    private const double LearningRate = 0.01, Decay = 0.1;

    [Fact]
    public void The_maps_are_those_of_bitsandbytes()
    {
        (IReadOnlyList<float> signed, IReadOnlyList<float> unsigned) = (DynamicMap.Signed.Values, DynamicMap.Unsigned.Values);

        Assert.Equal(256, signed.Distinct().Count());
        Assert.Equal(256, unsigned.Distinct().Count());
        Assert.Equal(signed.Order(), signed);
        Assert.Equal(unsigned.Order(), unsigned);
        Assert.Equal([-0.99296875f, -0.97890625f], signed.Take(2));
        Assert.Equal([-5.5e-7f, 0, 5.5e-7f], signed.Skip(126).Take(3));
        Assert.Equal([0.99296875f, 1], signed.TakeLast(2));
        Assert.Equal([0, 3.25e-7f, 7.75e-7f], unsigned.Take(3));
        Assert.Equal([0.996484375f, 1], unsigned.TakeLast(2));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_number_gets_the_nearest_code(bool isSigned)
    {
        DynamicMap map = isSigned ? DynamicMap.Signed : DynamicMap.Unsigned;
        var random = new Random(1);
        var values = new List<float> { 1, 0, 1e-9f, 1e-30f, float.Epsilon };
        for (int i = 0; i < 255; i++)
        {
            float middle = (map.Values[i] + map.Values[i + 1]) / 2;
            values.AddRange([map.Values[i], middle, MathF.BitDecrement(middle), MathF.BitIncrement(middle)]);
        }

        for (int i = 0; i < 20_000; i++) values.Add((float)Math.Pow(10, -8 * random.NextDouble()) * (isSigned && i % 2 == 0 ? -1 : 1));
        values.RemoveAll(value => Math.Abs(value) > 1);
        float[] numbers = [.. values], back = new float[numbers.Length];
        var codes = new byte[numbers.Length];
        fixed (float* source = numbers, target = back)
        fixed (byte* code = codes)
        {
            Assert.Equal(1, map.Pack(source, code, numbers.Length));
            map.Unpack(code, 1, target, numbers.Length);
        }

        for (int i = 0; i < numbers.Length; i++)
        {
            float nearest = map.Values.Min(value => Math.Abs(value - numbers[i]));
            Assert.True(Math.Abs(back[i] - numbers[i]) <= nearest + (2e-7f * Math.Abs(numbers[i])), $"{numbers[i]:R} became {back[i]:R}");
        }
    }

    [Fact]
    public void Each_block_has_its_own_scale_and_the_step_is_AdamWs_on_the_unpacked_state()
    {
        using var scope = NewDisposeScope();
        const int size = 4500; // not a multiple of a block
        manual_seed(3);
        var parameter = new Parameter(randn(size));
        float[] weights = parameter.data<float>().ToArray(), first = new float[size], second = new float[size];
        using var optimizer = new QuantizedAdamW([new ParameterGroup([parameter], Decay)], masterWeights: true);
        for (int step = 1; step <= 4; step++)
        {
            Tensor gradient = randn(size) * arange(1, size + 1).pow(2) / size; // sizes that differ from block to block
            parameter.grad = gradient;
            optimizer.Step(LearningRate);
            float[] g = gradient.data<float>().ToArray();
            for (int i = 0; i < size; i++)
            {
                first[i] = (0.9f * first[i]) + (g[i] * (1 - 0.9f));
                second[i] = (0.999f * second[i]) + (g[i] * g[i] * (1 - 0.999f));
                double m = first[i] / (1 - Math.Pow(0.9, step)), v = second[i] / (1 - Math.Pow(0.999, step));
                weights[i] = (float)((weights[i] * (1 - (LearningRate * Decay))) - (LearningRate * m / (Math.Sqrt(v) + 1e-8)));
            }

            Requantize(first, DynamicMap.Signed.Values);
            Requantize(second, DynamicMap.Unsigned.Values);
        }

        // A number at the very middle between two codes may take the other one.
        Tensor difference = (tensor(weights) - parameter).abs();
        Assert.True(difference.median().item<float>() < 1e-6f);
        Assert.True((difference > 1e-4f).sum().item<long>() <= 5, $"{(difference > 1e-4f).sum().item<long>()} weights differ");

        static void Requantize(float[] state, IReadOnlyList<float> map)
        {
            for (int start = 0; start < size; start += QuantizedAdamW.BlockSize)
            {
                Span<float> block = state.AsSpan(start, Math.Min(QuantizedAdamW.BlockSize, size - start));
                float largest = 0;
                foreach (float value in block) largest = Math.Max(largest, Math.Abs(value));
                foreach (ref float value in block)
                {
                    float scaled = value / largest;
                    value = map.MinBy(code => Math.Abs(code - scaled)) * largest;
                }
            }
        }
    }

    [Fact]
    public void Small_parameters_take_AdamWs_very_steps()
    {
        using var scope = NewDisposeScope();
        Parameter[] small = [new Parameter(ones(QuantizedAdamW.SmallestQuantized - 1))], twin = [new Parameter(ones(QuantizedAdamW.SmallestQuantized - 1))];
        using var quantized = new QuantizedAdamW([new ParameterGroup(small, Decay)], masterWeights: true);
        using var plain = new FusedAdamW([new ParameterGroup(twin, Decay)], masterWeights: true);

        OptimizerSamples.Run(quantized, small, 0, 3);
        OptimizerSamples.Run(plain, twin, 0, 3);

        Assert.Equal(OptimizerSamples.Values(twin), OptimizerSamples.Values(small));
    }

    [Fact]
    public void A_large_state_takes_two_bytes_for_a_weight_and_eight_for_a_block()
    {
        using var scope = NewDisposeScope();
        using var optimizer = new QuantizedAdamW([new ParameterGroup([new Parameter(zeros(64, 256))], Decay)], masterWeights: true);
        Assert.Equal((64 * 256 * 2) + (64 * 8), optimizer.StateBytes);
    }

    [Fact]
    public void It_goes_where_AdamW_goes()
    {
        using var scope = NewDisposeScope();
        double Fit(Func<ParameterGroup[], Optimizer> create)
        {
            manual_seed(7);
            Tensor inputs = randn(512, 64), wanted = inputs.matmul(randn(64, 96));
            var weights = new Parameter(zeros(64, 96));
            using Optimizer optimizer = create([new ParameterGroup([weights], 0)]);
            double loss = 0;
            for (int step = 0; step < 150; step++)
            {
                using var inner = NewDisposeScope();
                Tensor error = (inputs.matmul(weights) - wanted).square().mean();
                error.backward();
                optimizer.Step(0.05);
                optimizer.ZeroGradients();
                loss = error.ToDouble();
            }

            return loss;
        }

        double full = Fit(groups => new FusedAdamW(groups, masterWeights: true)), small = Fit(groups => new QuantizedAdamW(groups, masterWeights: true));
        Assert.InRange(small, 0, Math.Max(1.5 * full, 0.05));
    }
}
