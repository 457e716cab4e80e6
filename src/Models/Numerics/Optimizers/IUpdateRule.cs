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
            update.Run(new RuleRun<TRule>(ruleOf(update.Update), update.State(0, start), update.State(1, start), count), start));
    }
}
