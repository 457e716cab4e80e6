using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLComponents.Models;

/// <summary>The equation of an optimizer that updates each weight by itself.</summary>
internal interface IUpdateRule
{
    /// <summary>Whether there is a first number of state for each weight.</summary>
    static abstract bool HasFirst { get; }

    /// <summary>Whether there is a second one.</summary>
    static abstract bool HasSecond { get; }

    /// <summary>Whether state that is zero stays zero where the gradient is zero.</summary>
    static abstract bool KeepsZeros { get; }

    /// <summary>Gives the new weights and advances the state.</summary>
    Vector256<float> Advance(Vector256<float> weight, Vector256<float> gradient, ref Vector256<float> first, ref Vector256<float> second);
}

/// <summary>A rule over a run of weights: every number is read and written once.</summary>
internal readonly unsafe struct RuleRun<TRule>(TRule rule, float* first, float* second, int count) : IWeightEquation
    where TRule : struct, IUpdateRule
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<TWeights>(TWeights weights)
        where TWeights : struct, IWeightLanes
    {
        int i = 0;
        for (; i <= count - FloatLanes.Count; i += FloatLanes.Count) Advance(weights, i, FloatLanes.Count);
        if (i < count) Advance(weights, i, count - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Advance<TWeights>(TWeights weights, int index, int width)
        where TWeights : struct, IWeightLanes
    {
        Vector256<float> m = TRule.HasFirst ? FloatLanes.Load(first + index, width) : default;
        Vector256<float> v = TRule.HasSecond ? FloatLanes.Load(second + index, width) : default;
        weights.Store(rule.Advance(weights.Weights(index, width), weights.Gradients(index, width), ref m, ref v), index, width);
        if (TRule.HasFirst) FloatLanes.Store(m, first + index, width);
        if (TRule.HasSecond) FloatLanes.Store(v, second + index, width);
    }
}

/// <summary>Rules over whole parameters.</summary>
internal static class UpdateRule
{
    /// <summary>Runs each parameter's rule over all of it, in chunks on all threads.</summary>
    public static unsafe void Run<TRule>(IReadOnlyList<FusedUpdate> updates, Func<ParameterUpdate, TRule> ruleOf)
        where TRule : struct, IUpdateRule
    {
        TensorSpans.ForEachChunk(updates, update => update.Length, (update, start, count) =>
        {
            TRule rule = ruleOf(update.Update);
            if (update.Rows is null) update.Run(new RuleRun<TRule>(rule, update.State(0, start), update.State(1, start), count), start);
            else RunRows(update, update.Rows, rule, start, count);
        });
    }

    /// <summary>
    /// Runs a rule over a part of a matrix of which few rows have a gradient. The gradient of the others is zero, and of those that have never had one the state is as well:
    /// neither is read.
    /// </summary>
    private static unsafe void RunRows<TRule>(FusedUpdate update, RowGradient rows, TRule rule, long start, int count)
        where TRule : struct, IUpdateRule
    {
        const int most = 256;
        float* zeroGradient = stackalloc float[most], first = stackalloc float[most], second = stackalloc float[most];
        new Span<float>(zeroGradient, most).Clear();
        new Span<float>(first, most).Clear();
        new Span<float>(second, most).Clear();
        bool[] hadGradient = update.Update.Item.HadGradient;
        int elementSize = (int)rows.Weight.ElementSize;
        for (long place = start, end = start + count; place < end;)
        {
            (long row, long column) = (place / rows.Width, place % rows.Width);
            byte* gradient = rows.Find(row);
            int some = (int)Math.Min(Math.Min(rows.Width - column, end - place), gradient is null ? most : int.MaxValue);
            bool isZero = TRule.KeepsZeros && !hadGradient[row];
            update.Run(
                new RuleRun<TRule>(rule, isZero ? first : update.State(0, place), isZero ? second : update.State(1, place), some), place,
                gradient is null ? (byte*)zeroGradient : gradient + (column * elementSize));
            place += some;
        }
    }
}
