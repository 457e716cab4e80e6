using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Tensors that lie somewhere in a content, each in one piece or as a view with strides. They are read straight to where they belong.</summary>
/// <param name="content">Where they lie; disposed of with the source.</param>
/// <param name="entries">What there is; checked against the content's length by the caller.</param>
internal sealed class ContentTensors(Content content, IReadOnlyList<StoredTensor> entries) : TensorSource
{
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
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var pieces = new List<TensorPiece>();
        foreach (var (entry, destination) in wanted)
        {
            if (!destination.shape.AsSpan().SequenceEqual([.. entry.Shape]))
            {
                throw new ArgumentException(
                    $"{Source}: tensor '{entry.Name}' has shape [{string.Join(", ", entry.Shape)}]; the destination has [{string.Join(", ", destination.shape)}].",
                    nameof(wanted));
            }

            if (entry.Strides is null) pieces.AddRange(TensorPiece.Of(entry, destination.detach().view(-1)));
        }

        ReadInParallel(pieces);
        using var reader = new PieceReader(content);
        foreach (var (entry, destination) in wanted)
            if (entry.Strides is { } strides) reader.ReadView(entry, strides, destination.detach());
        GC.KeepAlive(wanted);
    }

    /// <summary>
    /// Most of the time goes into the first touch of fresh memory, which threads share well. They take the pieces in the order of the
    /// file, so that a disk still reads ahead.
    /// </summary>
    private void ReadInParallel(List<TensorPiece> pieces)
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
            using var reader = new PieceReader(content);
            for (int i; (i = Interlocked.Increment(ref next)) < pieces.Count;) reader.Read(pieces[i]);
        }
    }
}
