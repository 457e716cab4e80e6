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

    /// <summary>The numbers that <see cref="Attend"/> computes in.</summary>
    /// <param name="stride">The value stride.</param>
    /// <param name="count">The number of queries.</param>
    public static int SpareSize(int stride, int count) => (2 * stride * CachePages.Tokens) + (count * 2 * TLanes.Count);

    /// <summary>Attends from the queries of a row's tokens, one behind the other, that share a key-value head. Each gets the bits that it would get alone.</summary>
    /// <param name="layout">Where keys and values lie in a page.</param>
    /// <param name="pages">The row's pages.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="head">The key-value head.</param>
    /// <param name="queries">The queries.</param>
    /// <param name="results">Takes the results, <c>[count, value stride]</c>.</param>
    /// <param name="spare">Memory to compute in.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Attend(CachePages layout, ReadOnlySpan<nint> pages, int layer, int head, in CachedQueries queries, float* results, float* spare)
    {
        (int stride, int count) = (layout.ValueStride, queries.Count);
        float* keys = spare, values = keys + (stride * CachePages.Tokens), sums = values + (stride * CachePages.Tokens), largest = sums + (count * TLanes.Count);
        new Span<float>(results, count * stride).Clear();
        new Span<float>(sums, count * TLanes.Count).Clear();
        new Span<float>(largest, count).Fill(float.NegativeInfinity);
        for (int page = queries.FirstSeen(0) / CachePages.Tokens; page * CachePages.Tokens < queries.EndSeen(count - 1); page++)
        {
            byte* storedKeys = layout.Keys(pages[page], layer, head), storedValues = layout.Values(pages[page], layer, head);
            if (count <= Block || typeof(TNumbers) == typeof(Float32Numbers))
            {
                AttendPage<TNumbers>(storedKeys, storedValues, stride, page * CachePages.Tokens, queries, results, sums, largest);
                continue;
            }

            // So many queries are worth widening everything once.
            TokenMath<TLanes, TVector, TNumbers>.Widen(storedKeys, 0, keys, queries.Size * CachePages.Tokens);
            TokenMath<TLanes, TVector, TNumbers>.Widen(storedValues, 0, values, stride * CachePages.Tokens);
            AttendPage<Float32Numbers>((byte*)keys, (byte*)values, stride, page * CachePages.Tokens, queries, results, sums, largest);
        }

        for (int query = 0; query < count; query++, results += stride)
        {
            TVector scale = TLanes.Broadcast(1 / TLanes.Sum(TLanes.Load(sums + (query * TLanes.Count))));
            for (int d = 0; d < stride; d += TLanes.Count) TLanes.Store(TLanes.Multiply(TLanes.Load(results + d), scale), results + d);
        }
    }

    /// <summary>What a page adds to the results, to the sums of weights, each one vector, and to the largest scores.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AttendPage<TStored>(
        byte* keys, byte* values, int stride, int start, in CachedQueries queries, float* results, float* sums, float* largest)
        where TStored : struct, INumbers
    {
        float* scores = stackalloc float[Block * CachePages.Tokens];
        int size = queries.Size;
        for (int query = 0; query < queries.Count; query += Block)
        {
            int present = Math.Min(Block, queries.Count - query);
            int from = Math.Max(queries.FirstSeen(query) - start, 0), to = Math.Min(queries.EndSeen(query + present - 1) - start, CachePages.Tokens);
            if (from >= to) continue;

            // Queries that are not there are computed as the last one is.
            float* q = queries.Numbers + ((nint)query * size), result = results + ((nint)query * stride);
            if (present == 1) Score<TStored>(keys, q, size, scores);
            else Score<TStored>(keys, q, q + size, q + (Math.Min(2, present - 1) * size), q + ((present - 1) * size), size, scores);
            for (int i = 0; i < present; i++) Hide(scores + (i * CachePages.Tokens), queries.FirstSeen(query + i) - start, queries.EndSeen(query + i) - start);
            Soften(scores, present, largest + query, sums + (query * TLanes.Count), result, stride);
            if (present == 1) AddValues<TStored>(values, stride, 0, from, to, scores, result);
            else AddValues<TStored>(values, stride, from, to, scores, result, result + stride, present > 2 ? result + (2 * stride) : null, present > 3 ? result + (3 * stride) : null);
        }
    }

    /// <summary>The scores of one query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Score<TStored>(byte* keys, float* q, int size, float* scores)
        where TStored : struct, INumbers
    {
        for (int token = 0; token < CachePages.Tokens; token += 2 * TLanes.Count)
        {
            TVector s0 = default, s1 = default;
            for (nint d = 0, place = token; d < size; d++, place += CachePages.Tokens)
            {
                TVector element = TLanes.Broadcast(q[d]);
                s0 = TLanes.MultiplyAdd(element, TStored.Load<TLanes, TVector>(keys, place), s0);
                s1 = TLanes.MultiplyAdd(element, TStored.Load<TLanes, TVector>(keys, place + TLanes.Count), s1);
            }

            TLanes.Store(s0, scores + token);
            TLanes.Store(s1, scores + token + TLanes.Count);
        }
    }

    /// <summary>The scores of four queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Score<TStored>(byte* keys, float* q0, float* q1, float* q2, float* q3, int size, float* scores)
        where TStored : struct, INumbers
    {
        for (int token = 0; token < CachePages.Tokens; token += 2 * TLanes.Count)
        {
            TVector s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
            for (nint d = 0, place = token; d < size; d++, place += CachePages.Tokens)
            {
                TVector k0 = TStored.Load<TLanes, TVector>(keys, place), k1 = TStored.Load<TLanes, TVector>(keys, place + TLanes.Count);
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

    /// <summary>Leaves only the scores of tokens that a query sees.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Hide(float* scores, int first, int end)
    {
        for (int token = 0; token < Math.Min(first, CachePages.Tokens); token++) scores[token] = float.NegativeInfinity;
        for (int token = Math.Max(end, 0); token < CachePages.Tokens; token++) scores[token] = float.NegativeInfinity;
    }

    /// <summary>
    /// Makes weights of the scores of up to four queries in a page, relative to the largest score so far of each, and brings what was added up before to the same
    /// measure.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Soften(float* scores, int present, float* largest, float* sums, float* results, int stride)
    {
        // As many as a vector may hold.
        float* origins = stackalloc float[Block], factors = stackalloc float[Math.Max(Block, TLanes.Count)];
        bool isLarger = false;
        for (int i = 0; i < present; i++)
        {
            float* row = scores + (i * CachePages.Tokens);
            TVector most = TLanes.Load(row);
            for (int token = TLanes.Count; token < CachePages.Tokens; token += TLanes.Count) most = TLanes.Max(most, TLanes.Load(row + token));
            float before = largest[i], here = TLanes.Largest(most), now = here > before ? here : before;

            // A query that has seen nothing so far has weights of 0 only.
            origins[i] = float.IsNegativeInfinity(now) ? 0 : now;
            factors[i] = before == now ? 0 : before - now;
            isLarger |= before != now;
            largest[i] = now;
        }

        if (isLarger)
        {
            for (int i = 0; i < present; i += TLanes.Count) TLanes.Store(Exponential<TLanes, TVector>.Of(TLanes.Load(factors + i)), factors + i);
            for (int i = 0; i < present; i++)
            {
                TVector factor = TLanes.Broadcast(factors[i]);
                float* sum = sums + (i * TLanes.Count), result = results + (i * stride);
                TLanes.Store(TLanes.Multiply(TLanes.Load(sum), factor), sum);
                for (int d = 0; d < stride; d += TLanes.Count) TLanes.Store(TLanes.Multiply(TLanes.Load(result + d), factor), result + d);
            }
        }

        for (int i = 0; i < present; i++)
        {
            float* row = scores + (i * CachePages.Tokens), sum = sums + (i * TLanes.Count);
            TVector origin = TLanes.Broadcast(origins[i]), added = TLanes.Load(sum);
            for (int token = 0; token < CachePages.Tokens; token += TLanes.Count)
            {
                TVector weight = Exponential<TLanes, TVector>.Of(TLanes.Subtract(TLanes.Load(row + token), origin));
                TLanes.Store(weight, row + token);
                added = TLanes.Add(added, weight);
            }

            TLanes.Store(added, sum);
        }
    }

    /// <summary>Adds the weighted values for one query, from one of their elements on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddValues<TStored>(byte* values, int stride, int d, int from, int to, float* weights, float* result)
        where TStored : struct, INumbers
    {
        for (; d < stride; d += TLanes.Count)
        {
            TVector sum = TLanes.Load(result + d);
            for (nint token = from; token < to; token++)
                sum = TLanes.MultiplyAdd(TLanes.Broadcast(weights[token]), TStored.Load<TLanes, TVector>(values, (token * stride) + d), sum);
            TLanes.Store(sum, result + d);
        }
    }

    /// <summary>Adds the weighted values for two to four queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddValues<TStored>(byte* values, int stride, int from, int to, float* weights, float* r0, float* r1, float* r2, float* r3)
        where TStored : struct, INumbers
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
                TVector value = TStored.Load<TLanes, TVector>(values, (token * stride) + d), other = TStored.Load<TLanes, TVector>(values, (token * stride) + d + TLanes.Count);
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
        AddValues<TStored>(values, stride, d, from, to, weights, r0);
        AddValues<TStored>(values, stride, d, from, to, weights + CachePages.Tokens, r1);
        if (r2 is not null) AddValues<TStored>(values, stride, d, from, to, weights + (2 * CachePages.Tokens), r2);
        if (r3 is not null) AddValues<TStored>(values, stride, d, from, to, weights + (3 * CachePages.Tokens), r3);
    }
}
