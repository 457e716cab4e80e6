using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>AdamW that keeps its state in eight bits: two bytes for each weight instead of eight.</summary>
/// <remarks>
/// Dettmers et al., "8-bit Optimizers via Block-wise Quantization" (2022), as bitsandbytes' AdamW8bit: each state is cut into blocks, each block is divided by its
/// largest magnitude and rounded to the nearest of 256 numbers of the dynamic map. The state of small parameters stays in float32. The equation is
/// <see cref="AdamWRule"/>, on the unpacked state.
/// </remarks>
internal sealed class QuantizedAdamW : Optimizer
{
    /// <summary>Numbers that share a scale.</summary>
    public const int BlockSize = 256;

    /// <summary>Parameters with fewer weights have a state in float32.</summary>
    public const int SmallestQuantized = 4096;

    private const int First = 0, FirstScale = 1, Second = 2, SecondScale = 3;

    private readonly double _beta1, _beta2, _epsilon;

    /// <summary>Creates the optimizer; parameters must be in CPU memory.</summary>
    /// <param name="groups">Parameters with their weight decay.</param>
    /// <param name="masterWeights">Whether bfloat16 parameters get a float32 master copy; otherwise they are rounded stochastically.</param>
    /// <param name="beta1">The decay of the gradients' mean, 0 to 1.</param>
    /// <param name="beta2">The decay of the squared gradients' mean, 0 to 1.</param>
    /// <param name="epsilon">Added to the denominator.</param>
    /// <param name="seed">The seed of stochastic rounding.</param>
    public QuantizedAdamW(IEnumerable<ParameterGroup> groups, bool masterWeights, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, int seed = 0)
        : base(groups, masterWeights, seed, Layout) => (_beta1, _beta2, _epsilon) = (beta1, beta2, epsilon);

    /// <summary>What is remembered of a parameter: codes and scales of the blocks of both means, or for a small one the means themselves.</summary>
    internal static IReadOnlyList<StateTensor> Layout(Parameter parameter)
    {
        if (!IsQuantized(parameter)) return FusedAdamW.Layout(parameter);
        long blocks = (parameter.NumberOfElements + BlockSize - 1) / BlockSize;
        return
        [
            new("state1", parameter.shape, ScalarType.Byte), new("absmax1", [blocks], ScalarType.Float32),
            new("state2", parameter.shape, ScalarType.Byte), new("absmax2", [blocks], ScalarType.Float32),
        ];
    }

    /// <inheritdoc/>
    private protected override unsafe void StepFused(IReadOnlyList<FusedUpdate> updates)
    {
        TensorSpans.ForEachChunk(updates, update => update.Length, (update, start, count) =>
        {
            AdamWRule rule = RuleOf(update.Update);
            if (!IsQuantized(update.Update.Item.Parameter))
            {
                update.Run(new RuleRun<AdamWRule>(rule, update.State(0, start), update.State(1, start), count), start);
                return;
            }

            float* first = stackalloc float[BlockSize], second = stackalloc float[BlockSize];
            for (long block = start / BlockSize; block * BlockSize < start + count; block++)
            {
                long begin = block * BlockSize;
                int size = (int)Math.Min(BlockSize, start + count - begin);
                byte* firstCodes = update.Bytes(First, begin), secondCodes = update.Bytes(Second, begin);
                DynamicMap.Signed.Unpack(firstCodes, *update.State(FirstScale, block), first, size);
                DynamicMap.Unsigned.Unpack(secondCodes, *update.State(SecondScale, block), second, size);
                update.Run(new RuleRun<AdamWRule>(rule, first, second, size), begin);
                *update.State(FirstScale, block) = DynamicMap.Signed.Pack(first, firstCodes, size);
                *update.State(SecondScale, block) = DynamicMap.Unsigned.Pack(second, secondCodes, size);
            }
        });
    }

    /// <inheritdoc/>
    private protected override Tensor Advance(ParameterUpdate update, Tensor weight, Tensor gradient) =>
        throw new NotSupportedException($"AdamW with a state of 8 bits runs on the CPU; the parameters are on {weight.device}. Use AdamW there.");

    private static bool IsQuantized(Tensor parameter) => parameter.NumberOfElements >= SmallestQuantized;

    private AdamWRule RuleOf(ParameterUpdate update) => AdamWRule.Of(update, StepCount, _beta1, _beta2, _epsilon);
}
