using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace MLComponents.Models;

/// <summary>What scores are computed with, on spans.</summary>
internal static class ScoreMath
{
    /// <summary>The index of the largest value, the first one of equals.</summary>
    public static int ArgMax(ReadOnlySpan<float> scores)
    {
        float largest = Max(scores);
        if (!float.IsNaN(largest)) return Math.Max(0, scores.IndexOf(largest));

        // NaN counts as the largest, as in the reference.
        int first = 0;
        while (!float.IsNaN(scores[first])) first++;
        return first;
    }

    /// <summary>The largest value; negative infinity where there is none, NaN where one is.</summary>
    public static float Max(ReadOnlySpan<float> scores)
    {
        var largest = new Vector<float>(float.NegativeInfinity);
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
        foreach (Vector<float> vector in vectors) largest = Vector.Max(largest, vector);
        float max = float.NegativeInfinity;
        for (int lane = 0; lane < Vector<float>.Count; lane++) max = Math.Max(max, largest[lane]);
        foreach (float rest in scores[(vectors.Length * Vector<float>.Count)..]) max = Math.Max(max, rest);
        return max;
    }

    /// <summary>The probabilities that scores stand for.</summary>
    /// <param name="scores">Scores, some finite.</param>
    /// <param name="probabilities">Takes the probabilities; may be the scores themselves.</param>
    public static void Softmax(ReadOnlySpan<float> scores, Span<float> probabilities)
    {
        double sum = Exponentials(scores, Max(scores), probabilities);
        float scale = (float)(1 / sum);
        foreach (ref float probability in probabilities) probability *= scale;
    }

    /// <summary>The logarithm of the sum of the exponentials.</summary>
    public static double LogSum(ReadOnlySpan<float> scores)
    {
        float max = Max(scores);
        return (float.IsNegativeInfinity(max) ? 0 : max) + Math.Log(Exponentials(scores, max, []));
    }

    /// <summary>Makes scores log probabilities, in place.</summary>
    public static void LogSoftmax(Span<float> scores)
    {
        double logSum = LogSum(scores);
        foreach (ref float score in scores) score = (float)(score - logSum);
    }

    /// <summary>The entropy of probabilities, in nats.</summary>
    public static double Entropy(ReadOnlySpan<float> probabilities)
    {
        double entropy = 0;
        foreach (float probability in probabilities) entropy -= probability > 0 ? probability * Math.Log(probability) : 0;
        return entropy;
    }

    /// <summary>The k-th largest value, k from 1 to their number.</summary>
    public static float Largest(ReadOnlySpan<float> scores, int k)
    {
        if (k == 1) return Max(scores);
        float[] rented = ArrayPool<float>.Shared.Rent(scores.Length);
        Span<float> values = rented.AsSpan(0, scores.Length);
        scores.CopyTo(values);

        // Quickselect, descending: what is larger than a pivot goes to its left.
        int wanted = k - 1, first = 0, last = values.Length - 1;
        while (first < last)
        {
            float pivot = values[(first + last) / 2];
            int left = first, right = last;
            while (left <= right)
            {
                while (values[left] > pivot) left++;
                while (values[right] < pivot) right--;
                if (left > right) break;
                (values[left], values[right]) = (values[right], values[left]);
                left++;
                right--;
            }

            if (wanted <= right) last = right;
            else if (wanted >= left) first = left;
            else break;
        }

        float result = values[wanted];
        ArrayPool<float>.Shared.Return(rented);
        return result;
    }

    /// <summary>The indices of the largest values, the largest first; of equals the one that comes first.</summary>
    /// <param name="scores">The values.</param>
    /// <param name="indices">Takes as many indices as it is long, at most as many as there are values.</param>
    public static void LargestIndices(ReadOnlySpan<float> scores, Span<int> indices)
    {
        float limit = Largest(scores, indices.Length);
        int count = 0, equals = 0;
        for (int index = 0; index < scores.Length; index++)
            if (scores[index] > limit) indices[count++] = index;
        for (int index = 0; count + equals < indices.Length; index++)
            if (!(scores[index] > limit) && !(scores[index] < limit)) indices[count + equals++] = index;
        Span<float> keys = new float[count];
        for (int rank = 0; rank < count; rank++) keys[rank] = -scores[indices[rank]];
        SortStably(keys, indices[..count]);
    }

    /// <summary>Rules out what is below a limit.</summary>
    public static void RemoveBelow(Span<float> scores, float limit)
    {
        foreach (ref float score in scores)
            if (score < limit) score = float.NegativeInfinity;
    }

    /// <summary>The sum of the exponentials of the distances to the largest value.</summary>
    /// <param name="scores">The values.</param>
    /// <param name="max">The largest one.</param>
    /// <param name="results">Takes the exponentials; empty if only the sum is wanted.</param>
    private static double Exponentials(ReadOnlySpan<float> scores, float max, Span<float> results)
    {
        // All ruled out, or NaN: what comes of that is NaN, as in the reference.
        if (float.IsNegativeInfinity(max)) max = 0;
        var shift = new Vector<float>(max);
        int width = Vector<float>.Count, index = 0;
        double sum = 0;
        for (; index + width <= scores.Length; index += width)
        {
            Vector<float> exponential = Vector.Exp(new Vector<float>(scores[index..]) - shift);
            if (!results.IsEmpty) exponential.CopyTo(results[index..]);
            sum += Vector.Sum(exponential);
        }

        for (; index < scores.Length; index++)
        {
            float exponential = MathF.Exp(scores[index] - max);
            if (!results.IsEmpty) results[index] = exponential;
            sum += exponential;
        }

        return sum;
    }

    private static void SortStably(Span<float> keys, Span<int> items)
    {
        keys.Sort(items);

        // Equal keys may have changed places.
        for (int first = 0; first < keys.Length;)
        {
            int end = first + 1;
            while (end < keys.Length && keys[end] == keys[first]) end++;
            if (end - first > 1) items[first..end].Sort();
            first = end;
        }
    }
}
