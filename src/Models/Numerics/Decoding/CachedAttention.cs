using System.Runtime.CompilerServices;

namespace MLComponents.Models;

/// <summary>
/// <c>softmax(q Kᵀ) V</c> of single queries over pages of keys and values, page by page: the sums so far are kept relative to the largest score so far
/// (Milakov and Gimelshein 2018), so that no row of scores is ever stored.
/// </summary>
/// <typeparam name="TLanes">The width of vectors.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
/// <typeparam name="TNumbers">How keys and values are stored.</typeparam>
internal static unsafe class CachedAttention<TLanes, TVector, TNumbers>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
    where TNumbers : struct, INumbers
{
    /// <summary>Queries that are compared with a key at once.</summary>
    private const int Block = 4;

    /// <summary>Attends from the queries of a row's tokens, one behind the other, that share a key-value head. Each gets the bits that it would get alone.</summary>
    /// <param name="layout">Where keys and values lie in a page.</param>
    /// <param name="pages">The row's pages.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="head">The key-value head.</param>
    /// <param name="end">The token behind the first of these tokens.</param>
    /// <param name="group">The queries of a token.</param>
    /// <param name="queries">The queries, already scaled, <c>[count, head size]</c>.</param>
    /// <param name="results">Takes the results, <c>[count, value stride]</c>.</param>
    /// <param name="count">The number of queries.</param>
    /// <param name="size">The size of a head.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Attend(
        CachePages layout, ReadOnlySpan<nint> pages, int layer, int head, int end, int group, float* queries, float* results, int count, int size)
    {
        float* scores = stackalloc float[Block * CachePages.Tokens];
        float* largest = stackalloc float[Block];
        float* sums = stackalloc float[Block];
        int stride = layout.ValueStride, window = layout.Window ?? int.MaxValue;
        for (int query = 0; query < count; query += Block)
        {
            // Queries that are not there are computed as the last one is.
            int present = Math.Min(Block, count - query);
            float* q = queries + ((nint)query * size), result = results + ((nint)query * stride);
            float* q1 = q + (Math.Min(1, present - 1) * size), q2 = q + (Math.Min(2, present - 1) * size), q3 = q + ((present - 1) * size);
            new Span<float>(result, present * stride).Clear();
            for (int i = 0; i < present; i++) (largest[i], sums[i]) = (float.NegativeInfinity, 0);
            int begin = Math.Max(0, end + (query / group) - window), stop = end + ((query + present - 1) / group);
            for (int page = begin / CachePages.Tokens; page * CachePages.Tokens < stop; page++)
            {
                int start = page * CachePages.Tokens, from = Math.Max(begin - start, 0), to = Math.Min(stop - start, CachePages.Tokens);
                byte* keys = layout.Keys(pages[page], layer, head), values = layout.Values(pages[page], layer, head);
                if (present == 1) Score(keys, q, size, scores);
                else Score(keys, q, q1, q2, q3, size, scores);
                for (int i = 0; i < present; i++)
                {
                    int behind = end + ((query + i) / group) - start;
                    Soften(scores + (i * CachePages.Tokens), Math.Max(behind - window, 0), Math.Min(behind, CachePages.Tokens), largest + i, sums + i, result + (i * stride), stride);
                }

                if (present == 1) AddValues(values, stride, 0, from, to, scores, result);
                else AddValues(values, stride, from, to, scores, result, result + (Math.Min(1, present - 1) * stride), present > 2 ? result + (2 * stride) : null, present > 3 ? result + (3 * stride) : null);
            }

            for (int i = 0; i < present; i++)
            {
                TVector scale = TLanes.Broadcast(1 / sums[i]);
                float* target = result + (i * stride);
                for (int d = 0; d < stride; d += TLanes.Count) TLanes.Store(TLanes.Multiply(TLanes.Load(target + d), scale), target + d);
            }
        }
    }

    /// <summary>The scores of one query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Score(byte* keys, float* q, int size, float* scores)
    {
        for (int token = 0; token < CachePages.Tokens; token += 2 * TLanes.Count)
        {
            TVector s0 = default, s1 = default;
            for (nint d = 0, place = token; d < size; d++, place += CachePages.Tokens)
            {
                TVector element = TLanes.Broadcast(q[d]);
                s0 = TLanes.MultiplyAdd(element, TNumbers.Load<TLanes, TVector>(keys, place), s0);
                s1 = TLanes.MultiplyAdd(element, TNumbers.Load<TLanes, TVector>(keys, place + TLanes.Count), s1);
            }

            TLanes.Store(s0, scores + token);
            TLanes.Store(s1, scores + token + TLanes.Count);
        }
    }

    /// <summary>The scores of four queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Score(byte* keys, float* q0, float* q1, float* q2, float* q3, int size, float* scores)
    {
        for (int token = 0; token < CachePages.Tokens; token += 2 * TLanes.Count)
        {
            TVector s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
            for (nint d = 0, place = token; d < size; d++, place += CachePages.Tokens)
            {
                TVector k0 = TNumbers.Load<TLanes, TVector>(keys, place), k1 = TNumbers.Load<TLanes, TVector>(keys, place + TLanes.Count);
                TVector element = TLanes.Broadcast(q0[d]);
                s00 = TLanes.MultiplyAdd(element, k0, s00);
                s01 = TLanes.MultiplyAdd(element, k1, s01);
                element = TLanes.Broadcast(q1[d]);
                s10 = TLanes.MultiplyAdd(element, k0, s10);
                s11 = TLanes.MultiplyAdd(element, k1, s11);
                element = TLanes.Broadcast(q2[d]);
                s20 = TLanes.MultiplyAdd(element, k0, s20);
                s21 = TLanes.MultiplyAdd(element, k1, s21);
                element = TLanes.Broadcast(q3[d]);
                s30 = TLanes.MultiplyAdd(element, k0, s30);
                s31 = TLanes.MultiplyAdd(element, k1, s31);
            }

            TLanes.Store(s00, scores + token);
            TLanes.Store(s01, scores + token + TLanes.Count);
            TLanes.Store(s10, scores + CachePages.Tokens + token);
            TLanes.Store(s11, scores + CachePages.Tokens + token + TLanes.Count);
            TLanes.Store(s20, scores + (2 * CachePages.Tokens) + token);
            TLanes.Store(s21, scores + (2 * CachePages.Tokens) + token + TLanes.Count);
            TLanes.Store(s30, scores + (3 * CachePages.Tokens) + token);
            TLanes.Store(s31, scores + (3 * CachePages.Tokens) + token + TLanes.Count);
        }
    }

    /// <summary>
    /// Makes weights of a query's scores in a page, relative to its largest score so far, and brings what was added up before to the same measure.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Soften(float* scores, int from, int to, float* largest, float* sum, float* result, int stride)
    {
        if (from >= to)
        {
            // Only other queries see something of this page.
            new Span<float>(scores, CachePages.Tokens).Clear();
            return;
        }

        for (int token = 0; token < from; token++) scores[token] = float.NegativeInfinity;
        for (int token = to; token < CachePages.Tokens; token++) scores[token] = float.NegativeInfinity;
        TVector most = TLanes.Load(scores);
        for (int token = TLanes.Count; token < CachePages.Tokens; token += TLanes.Count) most = TLanes.Max(most, TLanes.Load(scores + token));
        float before = *largest, now = MathF.Max(before, TLanes.Largest(most));
        TVector origin = TLanes.Broadcast(now), added = default;
        for (int token = 0; token < CachePages.Tokens; token += TLanes.Count)
        {
            TVector weight = Exponential<TLanes, TVector>.Of(TLanes.Subtract(TLanes.Load(scores + token), origin));
            TLanes.Store(weight, scores + token);
            added = TLanes.Add(added, weight);
        }

        float shrink = MathF.Exp(before - now);
        (*largest, *sum) = (now, (*sum * shrink) + TLanes.Sum(added));
        if (shrink == 1) return;
        TVector factor = TLanes.Broadcast(shrink);
        for (int d = 0; d < stride; d += TLanes.Count) TLanes.Store(TLanes.Multiply(TLanes.Load(result + d), factor), result + d);
    }

    /// <summary>Adds the weighted values for one query, from one of their elements on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddValues(byte* values, int stride, int d, int from, int to, float* weights, float* result)
    {
        for (; d < stride; d += TLanes.Count)
        {
            TVector sum = TLanes.Load(result + d);
            for (nint token = from; token < to; token++)
                sum = TLanes.MultiplyAdd(TLanes.Broadcast(weights[token]), TNumbers.Load<TLanes, TVector>(values, (token * stride) + d), sum);
            TLanes.Store(sum, result + d);
        }
    }

    /// <summary>Adds the weighted values for two to four queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddValues(byte* values, int stride, int from, int to, float* weights, float* r0, float* r1, float* r2, float* r3)
    {
        int d = 0;
        for (; d <= stride - (2 * TLanes.Count); d += 2 * TLanes.Count)
        {
            // Two vectors of each, as a sum waits for the one before it.
            float* e0 = r0 + d, e1 = r1 + d, e2 = r2 + d, e3 = r3 + d;
            TVector s0 = TLanes.Load(e0), s1 = TLanes.Load(e1), s2 = r2 is null ? default : TLanes.Load(e2), s3 = r3 is null ? default : TLanes.Load(e3);
            TVector t0 = TLanes.Load(e0 + TLanes.Count), t1 = TLanes.Load(e1 + TLanes.Count);
            TVector t2 = r2 is null ? default : TLanes.Load(e2 + TLanes.Count), t3 = r3 is null ? default : TLanes.Load(e3 + TLanes.Count);
            for (nint token = from; token < to; token++)
            {
                TVector value = TNumbers.Load<TLanes, TVector>(values, (token * stride) + d), other = TNumbers.Load<TLanes, TVector>(values, (token * stride) + d + TLanes.Count);
                TVector weight = TLanes.Broadcast(weights[token]);
                s0 = TLanes.MultiplyAdd(weight, value, s0);
                t0 = TLanes.MultiplyAdd(weight, other, t0);
                weight = TLanes.Broadcast(weights[CachePages.Tokens + token]);
                s1 = TLanes.MultiplyAdd(weight, value, s1);
                t1 = TLanes.MultiplyAdd(weight, other, t1);
                weight = TLanes.Broadcast(weights[(2 * CachePages.Tokens) + token]);
                s2 = TLanes.MultiplyAdd(weight, value, s2);
                t2 = TLanes.MultiplyAdd(weight, other, t2);
                weight = TLanes.Broadcast(weights[(3 * CachePages.Tokens) + token]);
                s3 = TLanes.MultiplyAdd(weight, value, s3);
                t3 = TLanes.MultiplyAdd(weight, other, t3);
            }

            TLanes.Store(s0, e0);
            TLanes.Store(t0, e0 + TLanes.Count);
            TLanes.Store(s1, e1);
            TLanes.Store(t1, e1 + TLanes.Count);
            if (r2 is not null)
            {
                TLanes.Store(s2, e2);
                TLanes.Store(t2, e2 + TLanes.Count);
            }

            if (r3 is not null)
            {
                TLanes.Store(s3, e3);
                TLanes.Store(t3, e3 + TLanes.Count);
            }
        }

        if (d == stride) return;
        AddValues(values, stride, d, from, to, weights, r0);
        AddValues(values, stride, d, from, to, weights + CachePages.Tokens, r1);
        if (r2 is not null) AddValues(values, stride, d, from, to, weights + (2 * CachePages.Tokens), r2);
        if (r3 is not null) AddValues(values, stride, d, from, to, weights + (3 * CachePages.Tokens), r3);
    }
}
