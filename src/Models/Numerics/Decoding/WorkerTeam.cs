using System.Runtime.InteropServices;

namespace MLComponents.Models;

/// <summary>
/// A team of threads that work through the phases of a task together: they share the items of a phase out among themselves and meet before the next. Threads
/// spin while they wait for each other, as phases last microseconds, and sleep if that takes long: when there is no task, or when other work has the processor.
/// </summary>
/// <remarks>
/// One task at a time: its phases use all the memory bandwidth there is, so several callers take turns. Nothing is allocated for a task.
/// </remarks>
internal sealed class WorkerTeam
{
    private const int SpinsBeforeSleep = 2000;
    private const int MembersBits = 16;

    // Two lines of the cache, as they are often fetched in pairs.
    private const int Line = 128;

    private readonly Lock _turn = new();
    private readonly object _bell = new();
    private readonly int _most;
    private readonly Share[] _shares;
    private int _started = 1;
    private int _sleeping;
    private ITeamTask? _task;
    private volatile Exception? _fault;
    private Signals _signals;

    /// <summary>A team; its threads start when they are first needed.</summary>
    /// <param name="most">The most members a task gets, at least 1; the caller is one of them.</param>
    public WorkerTeam(int most)
    {
        _most = Math.Clamp(most, 1, (1 << MembersBits) - 1);
        _shares = new Share[_most];
    }

    /// <summary>The team of this process, with a member for each processor.</summary>
    public static WorkerTeam Shared { get; } = new(Environment.ProcessorCount);

    /// <summary>Has members of the team do a task, and returns when all have done it.</summary>
    /// <param name="task">The task.</param>
    /// <param name="members">How many, at least 1; no more than there are take part.</param>
    public void Run(ITeamTask task, int members)
    {
        lock (_turn)
        {
            int count = Math.Clamp(members, 1, _most);
            while (_started < count) Start(_started++);
            (_task, _fault) = (task, null);
            (_signals.Arrived, _signals.Finished, _signals.Members) = (0, 0, count);
            ForgetItems();
            long order = ((_signals.Order >> MembersBits) + 1) << MembersBits | (long)count;
            Interlocked.Exchange(ref _signals.Order, order);
            Ring();
            Work(task, 0);
            WaitFor(Signal.Finished, count);
            _task = null;
            if (_fault is { } fault) throw new InvalidOperationException($"A thread of the team failed: {fault.Message}", fault);
        }
    }

    /// <summary>
    /// Gives a member the next item of the phase: first those of its own share, in their order, as memory is read best; then what others have not come to.
    /// Called by members during a task.
    /// </summary>
    /// <param name="member">The member.</param>
    /// <param name="count">How many items the phase has.</param>
    /// <param name="item">The item, from 0.</param>
    /// <returns>Whether there is one.</returns>
    public bool TakeItem(int member, int count, out int item)
    {
        int members = _signals.Members;
        for (int offset = 0; offset < members; offset++)
        {
            int owner = (member + offset) % members;
            int first = (int)((long)count * owner / members), end = (int)((long)count * (owner + 1) / members);
            ref Share share = ref _shares[owner];
            if (Volatile.Read(ref share.Taken) >= end - first) continue;
            item = first + Interlocked.Increment(ref share.Taken) - 1;
            if (item < end) return true;
        }

        item = -1;
        return false;
    }

    /// <summary>Waits until all members have come here; then a new phase begins, its items counted from 0. Called by members during a task.</summary>
    public void Meet()
    {
        int meeting = Volatile.Read(ref _signals.Meeting);
        if (Interlocked.Increment(ref _signals.Arrived) == _signals.Members)
        {
            _signals.Arrived = 0;
            ForgetItems();
            Interlocked.Exchange(ref _signals.Meeting, meeting + 1);
            Ring();
            return;
        }

        WaitFor(Signal.Met, meeting);
        if (_fault is not null) throw new OperationCanceledException("Another thread of the team has failed.");
    }

    private void ForgetItems()
    {
        for (int member = 0; member < _signals.Members; member++) _shares[member].Taken = 0;
    }

    private void Start(int member)
    {
        long seen = Volatile.Read(ref _signals.Order);
        new Thread(() => Serve(member, seen)) { IsBackground = true, Name = $"Decoding {member}" }.Start();
    }

    private void Serve(int member, long seen)
    {
        while (true)
        {
            WaitFor(Signal.Ordered, seen);
            seen = Volatile.Read(ref _signals.Order);
            if (member < (seen & ((1L << MembersBits) - 1))) Work(_task!, member);
        }
    }

    /// <summary>Waits until something has happened.</summary>
    /// <param name="signal">What.</param>
    /// <param name="value">The value it is compared with.</param>
    private void WaitFor(Signal signal, long value)
    {
        for (int spins = 0; spins < SpinsBeforeSleep; spins++)
        {
            if (HasHappened(signal, value)) return;
            Thread.SpinWait(1);
        }

        lock (_bell)
        {
            // Counted before looking again: who makes it happen afterwards sees a sleeper and rings.
            Interlocked.Increment(ref _sleeping);
            while (!HasHappened(signal, value)) Monitor.Wait(_bell);
            Interlocked.Decrement(ref _sleeping);
        }
    }

    private bool HasHappened(Signal signal, long value) => signal switch
    {
        Signal.Ordered => Volatile.Read(ref _signals.Order) != value,
        Signal.Met => Volatile.Read(ref _signals.Meeting) != value || _fault is not null,
        _ => Volatile.Read(ref _signals.Finished) >= value,
    };

    /// <summary>Wakes those who sleep. Called after a write with a full fence.</summary>
    private void Ring()
    {
        if (Volatile.Read(ref _sleeping) == 0) return;
        lock (_bell) Monitor.PulseAll(_bell);
    }

    private void Work(ITeamTask task, int member)
    {
        try
        {
            task.Work(this, member);
        }
        catch (Exception exception)
        {
            // The first one counts: those behind it only say that there was one.
            if (_fault is null) _fault = exception;
        }

        Interlocked.Increment(ref _signals.Finished);
        Ring();
    }

    /// <summary>What a thread can wait for.</summary>
    private enum Signal
    {
        /// <summary>There is another task.</summary>
        Ordered,

        /// <summary>All members have come to the meeting.</summary>
        Met,

        /// <summary>All members have done their part.</summary>
        Finished,
    }

    /// <summary>What threads tell each other, each on a cache line of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 6 * Line)]
    private struct Signals
    {
        /// <summary>The number of the task and of its members.</summary>
        [FieldOffset(Line)]
        public long Order;

        [FieldOffset(2 * Line)]
        public int Members;

        [FieldOffset(3 * Line)]
        public int Arrived;

        [FieldOffset(4 * Line)]
        public int Meeting;

        [FieldOffset(5 * Line)]
        public int Finished;
    }

    /// <summary>How many items of a member's share are taken.</summary>
    [StructLayout(LayoutKind.Explicit, Size = Line)]
    private struct Share
    {
        [FieldOffset(0)]
        public int Taken;
    }
}
