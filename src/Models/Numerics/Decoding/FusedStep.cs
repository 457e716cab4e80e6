using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>One pass of a decoder over a few tokens, all layers in one go, by a team of threads. Nothing is allocated for a pass once the memory is there.</summary>
internal abstract unsafe class FusedStep : ITeamTask, IDisposable
{
    /// <summary>The most tokens of one pass: enough for <see cref="ManyRowsProduct{TLanes,TVector,TWeights}"/>, and others do not wait long for their turn.</summary>
    public const int MostTokens = 128;

    /// <summary>The most tokens whose attention is one item of work.</summary>
    private protected const int SpanTokens = 16;

    private readonly FusedScratch _scratch = new();
    private readonly int[] _outputs = new int[MostTokens];
    private readonly FusedSpan[] _rowSpans = new FusedSpan[MostTokens];
    private readonly FusedSpan[] _spans = new FusedSpan[MostTokens];
    private int _rowSpanCount;
    private int _spanCount;

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

    /// <summary>The tokens of each row.</summary>
    private protected ReadOnlySpan<FusedSpan> RowSpans => _rowSpans.AsSpan(0, _rowSpanCount);

    /// <summary>The same in pieces of at most <see cref="SpanTokens"/>.</summary>
    private protected ReadOnlySpan<FusedSpan> Spans => _spans.AsSpan(0, _spanCount);

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
        _rowSpanCount = FillSpans(_rowSpans, MostTokens);
        _spanCount = FillSpans(_spans, SpanTokens);
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

    private int FillSpans(FusedSpan[] spans, int most)
    {
        int count = 0;
        for (int token = 0; token < TokenCount; token++)
        {
            if (count > 0 && Entries[token].Row == spans[count - 1].Row && spans[count - 1].Count < most)
                spans[count - 1] = spans[count - 1] with { Count = spans[count - 1].Count + 1 };
            else spans[count++] = new FusedSpan(Entries[token].Row, token, 1);
        }

        return count;
    }
}
