using System.Runtime.ExceptionServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Tensors that lie somewhere in a content, each in one piece or as a view with strides. They are read straight to where they belong.</summary>
/// <param name="content">Where they lie; disposed of with the source.</param>
/// <param name="entries">What there is; checked against the content's length by the caller.</param>
internal sealed unsafe class ContentTensors(Content content, IReadOnlyList<StoredTensor> entries) : TensorSource
{
    /// <summary>One call's share: large enough that the call costs nothing, small enough to keep all threads at the same end of the file.</summary>
    private const int PieceBytes = 1 << 20;

    /// <inheritdoc/>
    public override string Source => content.Name;

    /// <inheritdoc/>
    public override IReadOnlyList<StoredTensor> Entries => entries;

    /// <inheritdoc/>
    public override void ReadAll(Func<StoredTensor, Tensor?> destinationOf)
    {
        var wanted = new List<(StoredTensor Entry, Tensor Destination)>();
        foreach (StoredTensor entry in entries)
            if (destinationOf(entry) is { } destination) wanted.Add((entry, destination));
        Read([.. wanted.OrderBy(pair => pair.Entry.Begin)]);
    }

    /// <summary>Reads one tensor.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public void Read(StoredTensor entry, Tensor destination) => Read([(entry, destination)]);

    /// <inheritdoc/>
    public override void Dispose() => content.Dispose();

    private void Read((StoredTensor Entry, Tensor Destination)[] wanted)
    {
        var pieces = new List<Piece>();
        using var staging = new StagedReader(content);
        foreach (var (entry, destination) in wanted)
        {
            if (!destination.shape.AsSpan().SequenceEqual([.. entry.Shape]))
            {
                throw new ArgumentException(
                    $"{Source}: tensor '{entry.Name}' has shape [{string.Join(", ", entry.Shape)}]; the destination has [{string.Join(", ", destination.shape)}].",
                    nameof(wanted));
            }

            if (entry.Strides is null && destination.dtype == entry.DType && destination.device_type == DeviceType.CPU)
                AddPieces(pieces, TensorSpans.AddressOf(destination), entry);
            else
                staging.Read(entry, destination);
        }

        ReadInParallel(pieces);
        GC.KeepAlive(wanted);
    }

    private static void AddPieces(List<Piece> pieces, nint address, StoredTensor entry)
    {
        long bytes = entry.ByteCount;
        for (long start = 0; start < bytes; start += PieceBytes)
            pieces.Add(new Piece(address + (nint)start, entry.Begin + start, (int)Math.Min(PieceBytes, bytes - start)));
    }

    /// <summary>
    /// Most of the time goes into the first touch of fresh memory, which threads share well. They take the pieces in the order of the
    /// file, so that a disk still reads ahead.
    /// </summary>
    private void ReadInParallel(List<Piece> pieces)
    {
        int next = -1, threads = Math.Min(get_num_threads(), pieces.Count);
        if (threads <= 1)
        {
            Work(0);
            return;
        }

        try
        {
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, Work);
        }
        catch (AggregateException exception)
        {
            ExceptionDispatchInfo.Throw(exception.InnerExceptions[0]);
        }

        void Work(int thread)
        {
            for (int i; (i = Interlocked.Increment(ref next)) < pieces.Count;)
                content.Read(pieces[i].Begin, new Span<byte>((void*)pieces[i].Address, pieces[i].Bytes));
        }
    }

    /// <summary>A part of a tensor's memory and where its bytes lie.</summary>
    private readonly record struct Piece(nint Address, long Begin, int Bytes);
}
