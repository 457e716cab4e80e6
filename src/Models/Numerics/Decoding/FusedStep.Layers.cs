namespace MLComponents.Models;

/// <summary>A step for one width of vectors and one form of weights.</summary>
/// <typeparam name="TLanes">The width of vectors.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
/// <typeparam name="TWeights">How matrices are stored.</typeparam>
/// <typeparam name="TNumbers">How all else is stored: embeddings, norms, biases, keys and values.</typeparam>
internal sealed unsafe partial class FusedStep<TLanes, TVector, TWeights, TNumbers> : FusedStep
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
    where TWeights : struct, IWeights
    where TNumbers : struct, INumbers
{
    private int _half;
    private int _projected;
    private int _attended;
    private int _widest;
    private nint _cosinesAt, _sinesAt, _hiddenAt, _projectedAt, _attendedAt, _activatedAt;
    private nint _membersAt, _memberBytes, _queriesAt, _resultsAt, _spareAt;

    /// <inheritdoc/>
    private protected override void Divide(FusedScratch scratch, int members)
    {
        (DecoderConfig config, int tokens) = (Config, TokenCount);
        _half = (config.RotarySize() + 1) / 2;
        _attended = config.HeadCount * config.HeadSize;
        _projected = (config.HeadCount + (2 * config.KeyValueHeadCount)) * config.HeadSize;
        _widest = Math.Max(Math.Max(config.HiddenSize, config.IntermediateSize), _attended);
        int group = config.HeadCount / config.KeyValueHeadCount;
        _cosinesAt = scratch.Take(tokens * _half);
        _sinesAt = scratch.Take(tokens * _half);
        _hiddenAt = scratch.Take(tokens * config.HiddenSize);
        _projectedAt = scratch.Take(tokens * _projected);
        _attendedAt = scratch.Take(tokens * _attended);
        _activatedAt = scratch.Take(tokens * config.IntermediateSize);
        DivideForProducts(scratch, members);
        for (int member = 0; member < members; member++)
        {
            scratch.SkipToPage();
            nint start = scratch.Take(0);
            DivideForProductsOfMember(scratch, start);
            int queries = (SpanTokens * group) + CachedAttention<TLanes, TVector, TNumbers>.Beyond;
            _queriesAt = scratch.Take(queries * config.HeadSize) - start;
            _resultsAt = scratch.Take(queries * Layout.ValueStride) - start;
            _spareAt = scratch.Take(CachedAttention<TLanes, TVector, TNumbers>.SpareSize(Layout.ValueStride, SpanTokens * group)) - start;
            if (member == 0) _membersAt = start;
            if (member == 1) _memberBytes = start - _membersAt;
        }
    }

    /// <inheritdoc/>
    private protected override void Prepare(float[] frequencies)
    {
        float scaling = Weights.Rotary.Scaling;
        float* cosines = At(_cosinesAt), sines = At(_sinesAt), hidden = At(_hiddenAt);
        for (int token = 0; token < TokenCount; token++)
        {
            FusedEntry entry = Entries[token];
            for (int pair = 0; pair < _half; pair++)
            {
                // Single precision, as in the reference, which long texts magnify.
                (float sine, float cosine) = MathF.SinCos(entry.Position * frequencies[pair]);
                cosines[(token * _half) + pair] = cosine * scaling;
                sines[(token * _half) + pair] = sine * scaling;
            }

            TokenMath<TLanes, TVector, TNumbers>.Widen((void*)Weights.Embedding, (nint)entry.Id * Config.HiddenSize, hidden + (token * Config.HiddenSize), Config.HiddenSize);
        }
    }

    /// <inheritdoc/>
    public override void Work(WorkerTeam team, int member)
    {
        bool isSequential = Config.Residual == ResidualKind.Sequential;
        for (int index = 0; index < Weights.Layers.Length; index++)
        {
            FusedLayer layer = Weights.Layers[index];

            // Queries, keys and values; beside them, in a parallel block, the way up.
            float* input = Bring(team, member, _inputs, _hiddenAt, layer.InputNorm, Config.HiddenSize), other = input;
            if (Config.Residual == ResidualKind.Parallel) other = Bring(team, member, _otherInputs, _hiddenAt, layer.SecondNorm, Config.HiddenSize);
            int projections = CountItems(layer.QueryKeyValue), ways = isSequential ? 0 : CountItems(layer.Activated, TokenCount);
            while (team.TakeItem(member, projections + ways, out int item))
            {
                if (item < projections) Project(member, layer, input, item);
                else GoUp(member, layer, other, item - projections);
            }

            team.Meet();
            Attend(team, member, index, layer);
            team.Meet();

            // Back to the hidden state; beside it, in a parallel block, the way down.
            input = Bring(team, member, _inputs, _attendedAt, norm: null, _attended);
            if (!isSequential) other = Bring(team, member, _otherInputs, _activatedAt, norm: null, Config.IntermediateSize);
            int outputs = CountItems(layer.AttentionOutput, TokenCount);
            while (team.TakeItem(member, outputs, out int item))
            {
                FusedSlice slice = SliceOf(layer.AttentionOutput, item, TokenCount);
                AddProduct(member, 0, layer.AttentionOutput, input, slice);
                if (!isSequential) AddProduct(member, 1, layer.Down, other, slice);
            }

            team.Meet();
            if (!isSequential) continue;
            input = Bring(team, member, _inputs, _hiddenAt, layer.SecondNorm, Config.HiddenSize);
            ways = CountItems(layer.Activated, TokenCount);
            while (team.TakeItem(member, ways, out int item)) GoUp(member, layer, input, item);
            team.Meet();
            input = Bring(team, member, _inputs, _activatedAt, norm: null, Config.IntermediateSize);
            outputs = CountItems(layer.Down, TokenCount);
            while (team.TakeItem(member, outputs, out int item)) AddProduct(member, 0, layer.Down, input, SliceOf(layer.Down, item, TokenCount));
            team.Meet();
        }

        Score(team, member);
    }

    private float* Mine(int member, nint place) => At(_membersAt + (member * _memberBytes) + place);

    private void Project(int member, FusedLayer layer, float* input, int item)
    {
        float* target = At(_projectedAt);
        foreach (FusedMatrix matrix in layer.QueryKeyValue)
        {
            int count = CountItems(matrix, TokenCount);
            if (item < count)
            {
                Multiply(member, 0, matrix, input, target, _projected, SliceOf(matrix, item, TokenCount), TokenCount);
                return;
            }

            item -= count;
            target += matrix.Outputs;
        }
    }

    /// <summary>The activated part of the feed-forward layer.</summary>
    private void GoUp(int member, FusedLayer layer, float* input, int item)
    {
        int size = Config.IntermediateSize;
        float* activated = At(_activatedAt);
        FusedSlice slice = SliceOf(layer.Activated, item, TokenCount);
        float* factors = layer.Factor is { } factor ? MultiplyApart(member, 1, factor, input, slice) : null;
        Multiply(member, 0, layer.Activated, input, activated, size, slice, TokenCount);
        for (int token = slice.FirstRow; token < slice.EndRow; token++)
        {
            TokenMath<TLanes, TVector, TNumbers>.Activate(Config.Activation, activated + (token * size) + slice.First, factors, slice.Count);
            if (factors is not null) factors += slice.Count;
        }
    }

    /// <summary>Adds a slice of a product to the hidden state.</summary>
    private void AddProduct(int member, int panel, FusedMatrix matrix, float* input, FusedSlice slice)
    {
        float* change = MultiplyApart(member, panel, matrix, input, slice), hidden = At(_hiddenAt);
        for (int token = slice.FirstRow; token < slice.EndRow; token++, change += slice.Count)
            TokenMath<TLanes, TVector, TNumbers>.Add(change, hidden + (token * Config.HiddenSize) + slice.First, slice.Count);
    }

    /// <summary>Attention of all tokens. Where a row's tokens are shared out, the keys and values of all of them are there before.</summary>
    private void Attend(WorkerTeam team, int member, int index, FusedLayer layer)
    {
        int heads = Config.KeyValueHeadCount;
        bool isShared = Spans.Length > RowSpans.Length;
        if (isShared)
        {
            while (team.TakeItem(member, RowSpans.Length * heads, out int item)) Keep(member, index, layer, RowSpans[item / heads], item % heads);
            team.Meet();
        }

        while (team.TakeItem(member, Spans.Length * heads, out int item))
        {
            if (!isShared) Keep(member, index, layer, Spans[item / heads], item % heads);
            Attend(member, index, layer, Spans[item / heads], item % heads);
        }
    }

    /// <summary>Stores tokens' keys and values of a head.</summary>
    private void Keep(int member, int index, FusedLayer layer, FusedSpan span, int head)
    {
        float* key = Mine(member, _queriesAt);
        (int kind, int place) = Layout.Of(index);
        CachePages layout = Layout.Kinds[kind];
        ReadOnlySpan<nint> pages = Rows[span.Row].PagesOf(kind);
        for (int token = span.First; token < span.First + span.Count; token++)
        {
            int position = Entries[token].Position;
            float* projected = At(_projectedAt) + (token * _projected);
            NormAndRotate(projected + Weights.Keys.Of(head), key, layer.KeyNorm, token);
            Keep(layout, pages[position / CachePages.Tokens], position % CachePages.Tokens, place, head, key, projected + Weights.Values.Of(head));
        }
    }

    /// <summary>Attention of tokens from the queries that share a key-value head.</summary>
    private void Attend(int member, int index, FusedLayer layer, FusedSpan span, int head)
    {
        (int size, int group) = (Config.HeadSize, Config.HeadCount / Config.KeyValueHeadCount);
        float* queries = Mine(member, _queriesAt), results = Mine(member, _resultsAt);
        float scale = 1 / MathF.Sqrt(size);
        (int kind, int place) = Layout.Of(index);
        float* target = queries;
        for (int token = span.First; token < span.First + span.Count; token++)
        {
            for (int query = 0; query < group; query++, target += size)
            {
                NormAndRotate(At(_projectedAt) + (token * _projected) + Weights.Queries.Of((head * group) + query), target, layer.QueryNorm, token);
                TokenMath<TLanes, TVector, TNumbers>.Scale(target, scale, size);
            }
        }

        CachePages layout = Layout.Kinds[kind];
        CachedAttention<TLanes, TVector, TNumbers>.Attend(
            layout, Rows[span.Row].PagesOf(kind), place, head, new CachedQueries(queries, span.Count * group, size, group, Entries[span.First].Position, layout.Window), results, Mine(member, _spareAt));
        float* result = results;
        for (int token = span.First; token < span.First + span.Count; token++)
        {
            for (int query = 0; query < group; query++, result += Layout.ValueStride)
                new ReadOnlySpan<float>(result, size).CopyTo(new Span<float>(At(_attendedAt) + (token * _attended) + (((head * group) + query) * size), size));
        }
    }

    private void NormAndRotate(float* source, float* target, FusedNorm? norm, int token)
    {
        if (norm is { } present) TokenMath<TLanes, TVector, TNumbers>.LayerNorm(source, target, Config.HeadSize, present, (float)Config.NormEpsilon);
        else new ReadOnlySpan<float>(source, Config.HeadSize).CopyTo(new Span<float>(target, Config.HeadSize));
        TokenMath<TLanes, TVector, TNumbers>.Rotate(target, At(_cosinesAt) + (token * _half), At(_sinesAt) + (token * _half), _half);
    }

    private void Keep(CachePages layout, nint page, int place, int layer, int head, float* key, float* value)
    {
        byte* keys = layout.Keys(page, layer, head), values = layout.Values(page, layer, head);
        for (nint d = 0; d < Config.HeadSize; d++)
        {
            TNumbers.Write(keys, (d * CachePages.Tokens) + place, key[d]);
            TNumbers.Write(values, ((nint)place * layout.ValueStride) + d, value[d]);
        }
    }

    /// <summary>The last norm and the projection to the vocabulary, for the tokens that want them.</summary>
    private void Score(WorkerTeam team, int member)
    {
        if (WantedCount == 0) return;
        float* input = Bring(team, member, _inputs, _hiddenAt, Weights.FinalNorm, Config.HiddenSize, ofWanted: true), hidden = At(_hiddenAt);
        ReadOnlySpan<int> wanted = Wanted;
        int size = Config.HiddenSize;
        for (int index = 0; member == 0 && FinalStates is not null && index < wanted.Length; index++)
            Normalize(Weights.FinalNorm, hidden + (wanted[index] * size), FinalStates + ((nint)Entries[wanted[index]].Output * size));

        // Outputs of one pass lie one behind the other.
        float* logits = Logits + ((nint)Entries[wanted[0]].Output * Config.VocabularySize);
        int items = CountItems(Weights.Head, wanted.Length);
        while (team.TakeItem(member, items, out int item))
        {
            Multiply(member, 0, Weights.Head, input, logits, Config.VocabularySize, SliceOf(Weights.Head, item, wanted.Length), wanted.Length);
        }
    }
}
