using System.Diagnostics;
using System.Runtime.InteropServices;

namespace MLComponents.Models;

/// <summary>
/// Passes over a model's weights for all who want tokens read at the same time. A pass reads every weight from memory, whatever for: callers that wait for their turn
/// share the next one, so that eight conversations at once take little longer than one. Each gets the bits that it would get alone.
/// </summary>
/// <param name="team">The threads.</param>
/// <param name="width">The width of vectors.</param>
internal sealed unsafe class FusedPasses(WorkerTeam team, VectorWidth width)
{
    /// <summary>The share of a pass's time for which those are waited for who took part in the pass before: they come back as soon as they have chosen a token.</summary>
    private const double WaitsForShare = 0.1;

    private readonly object _gate = new();
    private readonly List<FusedPart> _waiting = [];
    private readonly List<FusedPart> _taken = [];
    private FusedStep? _step;
    private (bool InEightBits, TorchSharp.torch.ScalarType DType) _stepIsFor;
    private CachedRow[] _rows = [];
    private float[] _logits = [];
    private bool _isRunning;
    private int _expected;
    private long _lastTook;

    /// <summary>How many passes there have been.</summary>
    public long Passes { get; private set; }

    /// <summary>Computes a part, alone or with those of others; returns when it is there.</summary>
    /// <param name="part">The part; the caller's own until this returns.</param>
    public void Run(FusedPart part)
    {
        (part.IsDone, part.Fault) = (false, null);
        bool isInterrupted = false;
        lock (_gate)
        {
            _waiting.Add(part);
            while (!part.IsDone)
            {
                try
                {
                    if (_isRunning) Monitor.Wait(_gate);
                    else Lead();
                }
                catch (ThreadInterruptedException)
                {
                    // Others may be writing into the part's memory already.
                    isInterrupted = true;
                }
            }
        }

        if (isInterrupted) Thread.CurrentThread.Interrupt();
        if (part.Fault is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(part.Fault);
    }

    /// <summary>One pass for the first who wait. The gate is held when it begins and ends, and open meanwhile.</summary>
    private void Lead()
    {
        _isRunning = true;
        Exception? fault = null;
        try
        {
            WaitForOthers();
            Take();
            Monitor.Exit(_gate);
            try
            {
                long start = Stopwatch.GetTimestamp();
                Compute();
                _lastTook = Stopwatch.GetTimestamp() - start;
            }
            catch (Exception exception)
            {
                fault = exception;
            }
            finally
            {
                Monitor.Enter(_gate);
            }
        }
        finally
        {
            foreach (FusedPart part in _taken) (part.IsDone, part.Fault) = (true, fault);
            _expected = _taken.Count + _waiting.Count;
            _taken.Clear();
            Passes++;
            _isRunning = false;
            Monitor.PulseAll(_gate);
        }
    }

    private void WaitForOthers()
    {
        long start = Stopwatch.GetTimestamp();
        while (_waiting.Count < _expected && Stopwatch.GetTimestamp() - start < WaitsForShare * _lastTook)
        {
            Monitor.Exit(_gate);
            Thread.Yield();
            Monitor.Enter(_gate);
        }
    }

    /// <summary>Takes those who have waited longest, as many as go into a pass.</summary>
    private void Take()
    {
        int tokens = 0;
        for (int index = 0; index < _waiting.Count;)
        {
            FusedPart part = _waiting[index];
            if (_taken.Count > 0 && (tokens + part.Count > FusedStep.MostTokens || !part.FitsTo(_taken[0])))
            {
                index++;
                continue;
            }

            _taken.Add(part);
            _waiting.RemoveAt(index);
            tokens += part.Count;
        }
    }

    private void Compute()
    {
        FusedPart first = _taken[0];
        if (_step is null || _stepIsFor != (first.Weights.AreInEightBits, first.Weights.DType))
        {
            _step?.Dispose();
            _step = FusedStep.Create(width, first.Weights);
            _stepIsFor = (first.Weights.AreInEightBits, first.Weights.DType);
        }

        if (_taken.Count == 1)
        {
            first.Entries.AsSpan(0, first.Count).CopyTo(_step.EntriesToFill);
            _step.Run(team, first.Members, first.Weights, first.Layout, first.Rows, first.Count, first.Frequencies, first.Logits, first.Hidden);
            return;
        }

        (int tokens, int outputs) = (0, 0);
        int rows = 0;
        foreach (FusedPart part in _taken) rows += part.Rows.Length;
        if (_rows.Length != rows) _rows = new CachedRow[rows];
        rows = 0;
        foreach (FusedPart part in _taken)
        {
            part.Rows.CopyTo(_rows, rows);
            foreach (FusedEntry entry in part.Entries.AsSpan(0, part.Count))
                _step.EntriesToFill[tokens++] = entry with { Row = rows + entry.Row, Output = entry.Output < 0 ? -1 : outputs++ };
            rows += part.Rows.Length;
        }

        int vocabulary = first.Weights.Config.VocabularySize;
        if (_logits.Length < outputs * vocabulary) _logits = GC.AllocateUninitializedArray<float>(outputs * vocabulary, pinned: true);
        var logits = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_logits, 0);
        _step.Run(team, first.Members, first.Weights, first.Layout, _rows, tokens, first.Frequencies, logits, null);
        foreach (FusedPart part in _taken)
        {
            foreach (FusedEntry entry in part.Entries.AsSpan(0, part.Count))
            {
                if (entry.Output < 0) continue;
                new ReadOnlySpan<float>(logits, vocabulary).CopyTo(new Span<float>(part.Logits + ((nint)entry.Output * vocabulary), vocabulary));
                logits += vocabulary;
            }
        }

        // A row that its batch has let go of is not to be held here.
        Array.Clear(_rows);
    }
}
