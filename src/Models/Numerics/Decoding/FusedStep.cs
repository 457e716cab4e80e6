using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>One pass of a decoder over a few tokens, all layers in one go, by a team of threads. Nothing is allocated for a pass once the memory is there.</summary>
internal abstract unsafe class FusedStep : ITeamTask, IDisposable
{
    /// <summary>The most tokens of one pass.</summary>
    public const int MostTokens = 64;

    private readonly FusedScratch _scratch = new();
    private readonly int[] _outputs = new int[MostTokens];

    /// <summary>The weights of the pass.</summary>
    private protected FusedWeights Weights { get; private set; } = null!;

    private protected DecoderConfig Config { get; private set; } = null!;

    private protected CacheLayout Layout { get; private set; } = null!;

    private protected CachedRow[] Rows { get; private set; } = [];

    private protected FusedEntry[] Entries { get; } = new FusedEntry[MostTokens];

    private protected int TokenCount { get; private set; }

    /// <summary>The tokens whose logits are wanted.</summary>
    private protected ReadOnlySpan<int> Wanted => _outputs.AsSpan(0, WantedCount);

    private protected int WantedCount { get; private set; }

    private protected float* Logits { get; private set; }

    private protected float* FinalStates { get; private set; }

    /// <summary>A step over some weights.</summary>
    /// <param name="width">The width of vectors.</param>
    /// <param name="weights">The weights.</param>
    public static FusedStep Create(VectorWidth width, FusedWeights weights) => width switch
    {
        VectorWidth.Scalar => Create<ScalarLanes, float>(weights),
        VectorWidth.Vector128 => Create<Lanes128, Vector128<float>>(weights),
        VectorWidth.Vector256 => Create<Lanes256, Vector256<float>>(weights),
        VectorWidth.Vector512 => Create<Lanes512, Vector512<float>>(weights),
        _ => throw new ArgumentOutOfRangeException(nameof(width), width, "Not a width of vectors."),
    };

    private static FusedStep Create<TLanes, TVector>(FusedWeights weights)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => (weights.DType, weights.AreInEightBits) switch
    {
        (ScalarType.Float32, false) => new FusedStep<TLanes, TVector, Float32Numbers, Float32Numbers>(),
        (ScalarType.Float32, true) => new FusedStep<TLanes, TVector, Int8Numbers, Float32Numbers>(),
        (ScalarType.BFloat16, false) => new FusedStep<TLanes, TVector, BFloat16Numbers, BFloat16Numbers>(),
        (ScalarType.BFloat16, true) => new FusedStep<TLanes, TVector, Int8Numbers, BFloat16Numbers>(),
        var (dtype, _) => throw new ArgumentOutOfRangeException(nameof(weights), dtype, "There are no kernels for such weights."),
    };

    /// <summary>Takes the tokens of a pass.</summary>
    public Span<FusedEntry> EntriesToFill => Entries;

    /// <summary>Computes a pass. The rows have room for the tokens' keys and values.</summary>
    /// <param name="team">The threads.</param>
    /// <param name="members">How many of them.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="layout">The pages.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="tokens">How many tokens are in <see cref="EntriesToFill"/>; those of a row one behind the other.</param>
    /// <param name="frequencies">The frequencies of positions.</param>
    /// <param name="logits">Takes the logits.</param>
    /// <param name="hidden">Takes the hidden states behind the last norm, or is null.</param>
    public void Run(
        WorkerTeam team, int members, FusedWeights weights, CacheLayout layout, CachedRow[] rows, int tokens, float[] frequencies, float* logits, float* hidden)
    {
        (Weights, Config, Layout, Rows, TokenCount, WantedCount) = (weights, weights.Config, layout, rows, tokens, 0);
        Logits = logits;
        FinalStates = hidden;
        for (int token = 0; token < tokens; token++)
            if (Entries[token].Output >= 0) _outputs[WantedCount++] = token;
        _scratch.Begin();
        Divide(_scratch, members);
        _scratch.Commit();
        Prepare(frequencies);
        team.Run(this, members);
        Rows = [];
    }

    /// <inheritdoc/>
    public abstract void Work(WorkerTeam team, int member);

    /// <inheritdoc/>
    public void Dispose() => _scratch.Dispose();

    private protected float* At(nint place) => _scratch.At(place);

    /// <summary>Takes what a pass needs of the memory.</summary>
    private protected abstract void Divide(FusedScratch scratch, int members);

    /// <summary>What is computed once, before the team begins.</summary>
    private protected abstract void Prepare(float[] frequencies);
}

/// <summary>A step for one width of vectors and one form of weights.</summary>
/// <typeparam name="TLanes">The width of vectors.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
/// <typeparam name="TWeights">How matrices are stored.</typeparam>
/// <typeparam name="TNumbers">How all else is stored: embeddings, norms, biases, keys and values.</typeparam>
internal sealed unsafe class FusedStep<TLanes, TVector, TWeights, TNumbers> : FusedStep
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
    where TWeights : struct, IWeights
    where TNumbers : struct, INumbers
{
    /// <summary>About so many bytes of a matrix are one item of work: few enough to share out evenly, enough to be read in one go.</summary>
    private const int ItemBytes = 1 << 16;

    private int _half;
    private int _projected;
    private int _attended;
    private int _widest;
    private nint _cosinesAt, _sinesAt, _hiddenAt, _projectedAt, _attendedAt, _activatedAt, _factorsAt, _changeAt;
    private nint _membersAt, _memberBytes, _arrangedAt, _otherAt, _normedAt, _queriesAt, _resultsAt;

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
        _factorsAt = scratch.Take(tokens * config.IntermediateSize);
        _changeAt = scratch.Take(tokens * config.HiddenSize);
        for (int member = 0; member < members; member++)
        {
            scratch.SkipToPage();
            nint start = scratch.Take(0);
            _arrangedAt = scratch.Take(tokens * _widest) - start;
            _otherAt = scratch.Take(tokens * _widest) - start;
            _normedAt = scratch.Take(_widest) - start;
            _queriesAt = scratch.Take((group + 1) * config.HeadSize) - start;
            _resultsAt = scratch.Take(group * Layout.ValueStride) - start;
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
            float* input = Mine(member, _arrangedAt), other = Mine(member, _otherAt);

            // Queries, keys and values; beside them, in a parallel block, the way up.
            Normalize(member, layer.InputNorm, input);
            if (Config.Residual == ResidualKind.Parallel) Normalize(member, layer.SecondNorm, other);
            else other = input;
            int projections = CountItems(layer.QueryKeyValue), ways = isSequential ? 0 : CountItems(layer.Activated);
            while (team.TakeItem(member, projections + ways, out int item))
            {
                if (item < projections) Project(layer, input, item);
                else GoUp(layer, other, item - projections);
            }

            team.Meet();
            int heads = Config.KeyValueHeadCount;
            while (team.TakeItem(member, Rows.Length * heads, out int item)) Attend(member, index, layer, item / heads, item % heads);
            team.Meet();

            // Back to the hidden state; beside it, in a parallel block, the way down.
            Arrange(_attendedAt, _attended, input);
            if (!isSequential) Arrange(_activatedAt, Config.IntermediateSize, other = Mine(member, _otherAt));
            int outputs = CountItems(layer.AttentionOutput);
            while (team.TakeItem(member, outputs, out int item))
            {
                AddProduct(layer.AttentionOutput, input, item);
                if (!isSequential) AddProduct(layer.Down, other, item, layer.AttentionOutput);
            }

            team.Meet();
            if (!isSequential) continue;
            Normalize(member, layer.SecondNorm, input);
            ways = CountItems(layer.Activated);
            while (team.TakeItem(member, ways, out int item)) GoUp(layer, input, item);
            team.Meet();
            Arrange(_activatedAt, Config.IntermediateSize, input);
            outputs = CountItems(layer.Down);
            while (team.TakeItem(member, outputs, out int item)) AddProduct(layer.Down, input, item);
            team.Meet();
        }

        Score(team, member);
    }

    private float* Mine(int member, nint place) => At(_membersAt + (member * _memberBytes) + place);

    private static int OutputsOf(FusedMatrix matrix) => Math.Max(4, (int)(ItemBytes / TWeights.BytesOf(matrix.InWidth)) / 4 * 4);

    private static int CountItems(FusedMatrix matrix) => (matrix.Outputs + OutputsOf(matrix) - 1) / OutputsOf(matrix);

    private static int CountItems(FusedMatrix[] matrices)
    {
        int sum = 0;
        foreach (FusedMatrix matrix in matrices) sum += CountItems(matrix);
        return sum;
    }

    private static (int First, int End) Range(FusedMatrix matrix, int item) =>
        (item * OutputsOf(matrix), Math.Min(matrix.Outputs, (item + 1) * OutputsOf(matrix)));

    /// <summary>Norms of all tokens' hidden states, in the order that products read.</summary>
    private void Normalize(int member, FusedNorm norm, float* target)
    {
        float* hidden = At(_hiddenAt);
        for (int token = 0; token < TokenCount; token++) Normalize(member, norm, hidden + (token * Config.HiddenSize), target + (token * Config.HiddenSize));
    }

    private void Normalize(int member, FusedNorm norm, float* source, float* target)
    {
        float* normed = Mine(member, _normedAt);
        Normalize(norm, source, normed);
        FewRowsProduct<TLanes, TVector, TWeights>.Arrange(normed, target, Config.HiddenSize);
    }

    private void Normalize(FusedNorm norm, float* source, float* target)
    {
        if (Config.Norm == NormKind.Layer) TokenMath<TLanes, TVector, TNumbers>.LayerNorm(source, target, Config.HiddenSize, norm, (float)Config.NormEpsilon);
        else TokenMath<TLanes, TVector, TNumbers>.RootMeanSquareNorm(source, target, Config.HiddenSize, norm, (float)Config.NormEpsilon);
    }

    private void Arrange(nint source, int width, float* target)
    {
        float* values = At(source);
        for (int token = 0; token < TokenCount; token++) FewRowsProduct<TLanes, TVector, TWeights>.Arrange(values + (token * width), target + (token * width), width);
    }

    private void Project(FusedLayer layer, float* input, int item)
    {
        float* target = At(_projectedAt);
        foreach (FusedMatrix matrix in layer.QueryKeyValue)
        {
            int count = CountItems(matrix);
            if (item < count)
            {
                Multiply(matrix, input, target, _projected, item);
                return;
            }

            item -= count;
            target += matrix.Outputs;
        }
    }

    /// <summary>The activated part of the feed-forward layer.</summary>
    private void GoUp(FusedLayer layer, float* input, int item)
    {
        int size = Config.IntermediateSize;
        float* activated = At(_activatedAt), factors = At(_factorsAt);
        Multiply(layer.Activated, input, activated, size, item);
        if (layer.Factor is { } factor) Multiply(factor, input, factors, size, item);
        (int first, int end) = Range(layer.Activated, item);
        for (int token = 0; token < TokenCount; token++)
        {
            nint place = (token * size) + first;
            TokenMath<TLanes, TVector, TNumbers>.Activate(Config.Activation, activated + place, layer.Factor is null ? null : factors + place, end - first);
        }
    }

    /// <summary>Adds some outputs of a product to the hidden state.</summary>
    /// <param name="matrix">The matrix.</param>
    /// <param name="input">Its input.</param>
    /// <param name="item">Which outputs.</param>
    /// <param name="divided">The matrix whose outputs are divided, if another one.</param>
    private void AddProduct(FusedMatrix matrix, float* input, int item, FusedMatrix? divided = null)
    {
        (int first, int end) = Range(divided ?? matrix, item);
        float* change = At(_changeAt), hidden = At(_hiddenAt);
        Multiply(matrix, input, change, Config.HiddenSize, first, end, TokenCount);
        for (int token = 0; token < TokenCount; token++)
        {
            nint place = (token * Config.HiddenSize) + first;
            TokenMath<TLanes, TVector, TNumbers>.Add(change + place, hidden + place, end - first);
        }
    }

    private void Multiply(FusedMatrix matrix, float* input, float* target, nint stride, int item)
    {
        (int first, int end) = Range(matrix, item);
        Multiply(matrix, input, target, stride, first, end, TokenCount);
    }

    private static void Multiply(FusedMatrix matrix, float* input, float* target, nint stride, int first, int end, int rows)
    {
        FewRowsProduct<TLanes, TVector, TWeights>.Multiply((byte*)matrix.Weights, matrix.InWidth, first, end, input, matrix.InWidth, rows, target, stride);
        for (int row = 0; row < rows; row++) TokenMath<TLanes, TVector, TNumbers>.AddBias((void*)matrix.Bias, first, target + (row * stride) + first, end - first);
    }

    /// <summary>Attention of one row's tokens, one after the other, from the queries that share a key-value head.</summary>
    private void Attend(int member, int index, FusedLayer layer, int row, int head)
    {
        (int size, int group) = (Config.HeadSize, Config.HeadCount / Config.KeyValueHeadCount);
        float* queries = Mine(member, _queriesAt), key = queries + (group * size), results = Mine(member, _resultsAt);
        float scale = 1 / MathF.Sqrt(size);
        (int kind, int place) = Layout.Of(index);
        CachePages layout = Layout.Kinds[kind];
        ReadOnlySpan<nint> pages = Rows[row].PagesOf(kind);
        for (int token = 0; token < TokenCount; token++)
        {
            FusedEntry entry = Entries[token];
            if (entry.Row != row) continue;
            float* projected = At(_projectedAt) + (token * _projected), attended = At(_attendedAt) + (token * _attended);
            NormAndRotate(projected + Weights.Keys.Of(head), key, layer.KeyNorm, token);
            Keep(layout, pages[entry.Position / CachePages.Tokens], entry.Position % CachePages.Tokens, place, head, key, projected + Weights.Values.Of(head));
            for (int query = 0; query < group; query++)
            {
                float* target = queries + (query * size);
                NormAndRotate(projected + Weights.Queries.Of((head * group) + query), target, layer.QueryNorm, token);
                for (int d = 0; d < size; d++) target[d] *= scale;
            }

            int first = layer.Window is { } window ? Math.Max(0, entry.Position + 1 - window) : 0;
            CachedAttention<TLanes, TVector, TNumbers>.Attend(layout, pages, place, head, first, entry.Position + 1, queries, results, group, size);
            for (int query = 0; query < group; query++)
                new ReadOnlySpan<float>(results + (query * Layout.ValueStride), size).CopyTo(new Span<float>(attended + (((head * group) + query) * size), size));
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
        float* input = Mine(member, _arrangedAt), hidden = At(_hiddenAt);
        int size = Config.HiddenSize;
        ReadOnlySpan<int> wanted = Wanted;
        for (int index = 0; index < wanted.Length; index++)
        {
            Normalize(member, Weights.FinalNorm, hidden + (wanted[index] * size), input + (index * size));
            if (member == 0 && FinalStates is not null) Normalize(Weights.FinalNorm, hidden + (wanted[index] * size), FinalStates + ((nint)Entries[wanted[index]].Output * size));
        }

        // Outputs of one pass lie one behind the other.
        float* logits = Logits + ((nint)Entries[wanted[0]].Output * Config.VocabularySize);
        int items = CountItems(Weights.Head);
        while (team.TakeItem(member, items, out int item))
        {
            (int first, int end) = Range(Weights.Head, item);
            Multiply(Weights.Head, input, logits, Config.VocabularySize, first, end, wanted.Length);
        }
    }
}
