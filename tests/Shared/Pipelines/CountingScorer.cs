using System.Collections.Concurrent;
using MLComponents.Transforms;

namespace MLComponents.Testing;

/// <summary>A model whose logits are letter counts: one token per character, one output per letter from 'a' on. It counts what it is asked.</summary>
internal sealed class CountingScorer(int outputs, int maxLength = 1000) : ITextScorer
{
    private int _encoded, _busy;

    public int OutputCount => outputs;

    public int MaxLength => maxLength;

    public int Encoded => _encoded;

    /// <summary>Row lengths of each forward, in order.</summary>
    public List<int[]> Forwards { get; } = [];

    public bool Disposed { get; private set; }

    public ConcurrentDictionary<int, bool> Threads { get; } = [];

    public EncodedText Encode(TextInput input)
    {
        Interlocked.Increment(ref _encoded);
        int[] ids = [.. input.Text.ToArray().Concat(input.Pair?.ToArray() ?? []).Select(c => (int)c)];
        if (ids.Length == 0) ids = [0];
        return ids.Length > maxLength ? new(ids[..maxLength], true) : new(ids, false);
    }

    public float[][] Forward(IReadOnlyList<int[]> rows)
    {
        Assert.False(Disposed);
        Assert.Equal(1, Interlocked.Increment(ref _busy));
        Threads[Environment.CurrentManagedThreadId] = true;
        Forwards.Add([.. rows.Select(row => row.Length)]);
        float[][] logits = [.. rows.Select(row => Enumerable.Range(0, outputs).Select(output => (float)row.Count(id => id == 'a' + output)).ToArray())];
        Interlocked.Decrement(ref _busy);
        return logits;
    }

    public void Save(Action<string, Action<Stream>> saveEntry) => throw new NotSupportedException();

    public void Dispose() => Disposed = true;
}
