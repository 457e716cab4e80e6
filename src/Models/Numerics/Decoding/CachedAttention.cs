using System.Runtime.CompilerServices;

namespace MLComponents.Models;

/// <summary>
/// <c>softmax(q Kᵀ) V</c> over pages of keys and values, page by page: the sums so far are kept relative to the largest score so far
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
    /// <summary>Queries that are compared with a key at once, where registers do not allow for more.</summary>
    private const int Block = 4;

    private const int LargestBlock = 8;

    /// <summary>How many queries and results that do not exist are computed with: whole blocks are.</summary>
    public const int Beyond = LargestBlock - 1;

    /// <summary>The numbers that <see cref="Attend"/> computes in.</summary>
    /// <param name="stride">The value stride.</param>
    /// <param name="count">The number of queries.</param>
    public static int SpareSize(int stride, int count) => (2 * stride * CachePages.Tokens) + (count * 2 * TLanes.Count);

    /// <summary>Attends from the queries of a row's tokens, one behind the other, that share a key-value head. Each gets the bits that it would get alone, if the row's values are finite.</summary>
    /// <param name="layout">Where keys and values lie in a page.</param>
    /// <param name="pages">The row's pages.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="head">The key-value head.</param>
    /// <param name="queries">The queries; behind them, memory of <see cref="Beyond"/> others.</param>
    /// <param name="results">Takes the results, <c>[count, value stride]</c>, with as much memory behind them.</param>
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
        float* scores = stackalloc float[LargestBlock * CachePages.Tokens];
        int size = queries.Size;
        for (int query = 0, block; query < queries.Count; query += block)
        {
            // Queries of a block that are not there are computed like the others; nobody looks at what comes of it.
            int left = queries.Count - query;
            block = left == 1 ? 1 : left <= Block || TLanes.Rows == Block ? Block : LargestBlock;
            int present = Math.Min(block, left);
            int from = Math.Max(queries.FirstSeen(query) - start, 0), to = Math.Min(queries.EndSeen(query + present - 1) - start, CachePages.Tokens);
            if (from >= to) continue;
            float* q = queries.Numbers + ((nint)query * size), result = results + ((nint)query * stride);
            if (block == 1) ScoreOne<TStored>(keys, q, size, scores);
            else if (block == Block) ScoreFour<TStored>(keys, q, size, scores);
            else ScoreEight<TStored>(keys, q, size, scores);
            for (int i = 0; i < present; i++) Hide(scores + (i * CachePages.Tokens), queries.FirstSeen(query + i) - start, queries.EndSeen(query + i) - start);
            Soften(scores, present, largest + query, sums + (query * TLanes.Count), result, stride);
            int done = block == 1 ? 0 : block == Block ? AddValuesOfFour<TStored>(values, stride, from, to, scores, result) : AddValuesOfEight<TStored>(values, stride, from, to, scores, result);
            for (int i = 0; done < stride && i < present; i++) AddValuesOfOne<TStored>(values, stride, done, from, to, scores + (i * CachePages.Tokens), result + (i * stride));
        }
    }

    /// <summary>The scores of one query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ScoreOne<TStored>(byte* keys, float* q, int size, float* scores)
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
    private static void ScoreFour<TStored>(byte* keys, float* q0, int size, float* scores)
        where TStored : struct, INumbers
    {
        float* q1 = q0 + size, q2 = q1 + size, q3 = q2 + size;
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

            float* target = scores + token;
            TLanes.Store(s00, target);
            TLanes.Store(s01, target + TLanes.Count);
            TLanes.Store(s10, target + CachePages.Tokens);
            TLanes.Store(s11, target + CachePages.Tokens + TLanes.Count);
            TLanes.Store(s20, target + (2 * CachePages.Tokens));
            TLanes.Store(s21, target + (2 * CachePages.Tokens) + TLanes.Count);
            TLanes.Store(s30, target + (3 * CachePages.Tokens));
            TLanes.Store(s31, target + (3 * CachePages.Tokens) + TLanes.Count);
        }
    }

    /// <summary>The scores of eight queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ScoreEight<TStored>(byte* keys, float* q0, int size, float* scores)
        where TStored : struct, INumbers
    {
        float* q1 = q0 + size, q2 = q1 + size, q3 = q2 + size, q4 = q3 + size, q5 = q4 + size, q6 = q5 + size, q7 = q6 + size;
        for (int token = 0; token < CachePages.Tokens; token += 2 * TLanes.Count)
        {
            TVector s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
            TVector s40 = default, s41 = default, s50 = default, s51 = default, s60 = default, s61 = default, s70 = default, s71 = default;
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
                element = TLanes.Broadcast(q4[d]);
                s40 = TLanes.MultiplyAdd(element, k0, s40);
                s41 = TLanes.MultiplyAdd(element, k1, s41);
                element = TLanes.Broadcast(q5[d]);
                s50 = TLanes.MultiplyAdd(element, k0, s50);
                s51 = TLanes.MultiplyAdd(element, k1, s51);
                element = TLanes.Broadcast(q6[d]);
                s60 = TLanes.MultiplyAdd(element, k0, s60);
                s61 = TLanes.MultiplyAdd(element, k1, s61);
                element = TLanes.Broadcast(q7[d]);
                s70 = TLanes.MultiplyAdd(element, k0, s70);
                s71 = TLanes.MultiplyAdd(element, k1, s71);
            }

            float* target = scores + token;
            TLanes.Store(s00, target);
            TLanes.Store(s01, target + TLanes.Count);
            TLanes.Store(s10, target + CachePages.Tokens);
            TLanes.Store(s11, target + CachePages.Tokens + TLanes.Count);
            TLanes.Store(s20, target + (2 * CachePages.Tokens));
            TLanes.Store(s21, target + (2 * CachePages.Tokens) + TLanes.Count);
            TLanes.Store(s30, target + (3 * CachePages.Tokens));
            TLanes.Store(s31, target + (3 * CachePages.Tokens) + TLanes.Count);
            TLanes.Store(s40, target + (4 * CachePages.Tokens));
            TLanes.Store(s41, target + (4 * CachePages.Tokens) + TLanes.Count);
            TLanes.Store(s50, target + (5 * CachePages.Tokens));
            TLanes.Store(s51, target + (5 * CachePages.Tokens) + TLanes.Count);
            TLanes.Store(s60, target + (6 * CachePages.Tokens));
            TLanes.Store(s61, target + (6 * CachePages.Tokens) + TLanes.Count);
            TLanes.Store(s70, target + (7 * CachePages.Tokens));
            TLanes.Store(s71, target + (7 * CachePages.Tokens) + TLanes.Count);
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
    /// Makes weights of the scores of a block's queries in a page, relative to the largest score so far of each, and brings what was added up before to the same
    /// measure.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Soften(float* scores, int present, float* largest, float* sums, float* results, int stride)
    {
        float* origins = stackalloc float[LargestBlock], factors = stackalloc float[Math.Max(LargestBlock, TLanes.Count)];
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
    private static void AddValuesOfOne<TStored>(byte* values, int stride, int d, int from, int to, float* weights, float* result)
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

    /// <summary>Adds the weighted values for four queries.</summary>
    /// <returns>The element to go on from: not all may fill two vectors.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int AddValuesOfFour<TStored>(byte* values, int stride, int from, int to, float* weights, float* result)
        where TStored : struct, INumbers
    {
        int d = 0;
        for (; d <= stride - (2 * TLanes.Count); d += 2 * TLanes.Count)
        {
            // Two vectors of each, as a sum waits for the one before it.
            float* r0 = result + d, r1 = r0 + stride, r2 = r1 + stride, r3 = r2 + stride;
            TVector s0 = TLanes.Load(r0), t0 = TLanes.Load(r0 + TLanes.Count), s1 = TLanes.Load(r1), t1 = TLanes.Load(r1 + TLanes.Count), s2 = TLanes.Load(r2), t2 = TLanes.Load(r2 + TLanes.Count), s3 = TLanes.Load(r3), t3 = TLanes.Load(r3 + TLanes.Count);
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

            TLanes.Store(s0, r0);
            TLanes.Store(t0, r0 + TLanes.Count);
            TLanes.Store(s1, r1);
            TLanes.Store(t1, r1 + TLanes.Count);
            TLanes.Store(s2, r2);
            TLanes.Store(t2, r2 + TLanes.Count);
            TLanes.Store(s3, r3);
            TLanes.Store(t3, r3 + TLanes.Count);
        }

        return d;
    }

    /// <summary>Adds the weighted values for eight queries.</summary>
    /// <returns>The element to go on from: not all may fill two vectors.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int AddValuesOfEight<TStored>(byte* values, int stride, int from, int to, float* weights, float* result)
        where TStored : struct, INumbers
    {
        int d = 0;
        for (; d <= stride - (2 * TLanes.Count); d += 2 * TLanes.Count)
        {
            // Two vectors of each, as a sum waits for the one before it.
            float* r0 = result + d, r1 = r0 + stride, r2 = r1 + stride, r3 = r2 + stride, r4 = r3 + stride, r5 = r4 + stride, r6 = r5 + stride, r7 = r6 + stride;
            TVector s0 = TLanes.Load(r0), t0 = TLanes.Load(r0 + TLanes.Count), s1 = TLanes.Load(r1), t1 = TLanes.Load(r1 + TLanes.Count), s2 = TLanes.Load(r2), t2 = TLanes.Load(r2 + TLanes.Count), s3 = TLanes.Load(r3), t3 = TLanes.Load(r3 + TLanes.Count);
            TVector s4 = TLanes.Load(r4), t4 = TLanes.Load(r4 + TLanes.Count), s5 = TLanes.Load(r5), t5 = TLanes.Load(r5 + TLanes.Count), s6 = TLanes.Load(r6), t6 = TLanes.Load(r6 + TLanes.Count), s7 = TLanes.Load(r7), t7 = TLanes.Load(r7 + TLanes.Count);
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
                weight = TLanes.Broadcast(weights[(4 * CachePages.Tokens) + token]);
                s4 = TLanes.MultiplyAdd(weight, value, s4);
                t4 = TLanes.MultiplyAdd(weight, other, t4);
                weight = TLanes.Broadcast(weights[(5 * CachePages.Tokens) + token]);
                s5 = TLanes.MultiplyAdd(weight, value, s5);
                t5 = TLanes.MultiplyAdd(weight, other, t5);
                weight = TLanes.Broadcast(weights[(6 * CachePages.Tokens) + token]);
                s6 = TLanes.MultiplyAdd(weight, value, s6);
                t6 = TLanes.MultiplyAdd(weight, other, t6);
                weight = TLanes.Broadcast(weights[(7 * CachePages.Tokens) + token]);
                s7 = TLanes.MultiplyAdd(weight, value, s7);
                t7 = TLanes.MultiplyAdd(weight, other, t7);
            }

            TLanes.Store(s0, r0);
            TLanes.Store(t0, r0 + TLanes.Count);
            TLanes.Store(s1, r1);
            TLanes.Store(t1, r1 + TLanes.Count);
            TLanes.Store(s2, r2);
            TLanes.Store(t2, r2 + TLanes.Count);
            TLanes.Store(s3, r3);
            TLanes.Store(t3, r3 + TLanes.Count);
            TLanes.Store(s4, r4);
            TLanes.Store(t4, r4 + TLanes.Count);
            TLanes.Store(s5, r5);
            TLanes.Store(t5, r5 + TLanes.Count);
            TLanes.Store(s6, r6);
            TLanes.Store(t6, r6 + TLanes.Count);
            TLanes.Store(s7, r7);
            TLanes.Store(t7, r7 + TLanes.Count);
        }

        return d;
    }
}
