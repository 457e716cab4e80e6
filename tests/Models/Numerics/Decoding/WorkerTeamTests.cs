namespace MLComponents.Models.Tests;

public class WorkerTeamTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 4)]
    [InlineData(4, 2)]
    [InlineData(2, 9)]
    public void Every_item_of_every_phase_is_done_once_and_no_phase_begins_before_the_last_one_ended(int most, int members)
    {
        var team = new WorkerTeam(most);
        var task = new Counting(phases: 50, items: 13);
        for (int round = 1; round <= 20; round++)
        {
            team.Run(task, members);
            Assert.All(task.Done, item => Assert.Equal(round, item));
        }

        Assert.False(task.SawUnfinishedPhase);
        Assert.Equal(Math.Min(most, members), task.Members);
    }

    [Fact]
    public async Task Callers_take_turns()
    {
        var team = new WorkerTeam(3);
        Counting[] tasks = [.. Enumerable.Range(0, 6).Select(_ => new Counting(phases: 20, items: 5))];

        await Task.WhenAll(tasks.Select(task => Task.Run(() =>
        {
            for (int round = 0; round < 30; round++) team.Run(task, 3);
        })));

        Assert.All(tasks, task => Assert.All(task.Done, count => Assert.Equal(30, count)));
        Assert.All(tasks, task => Assert.False(task.SawUnfinishedPhase));
    }

    [Fact]
    public void A_task_is_done_by_threads_that_have_gone_to_sleep()
    {
        var team = new WorkerTeam(2);
        var task = new Counting(phases: 3, items: 2);
        team.Run(task, 2);

        // Long enough for them to give up waiting; that they sleep is not visible from here, that they wake up is.
        Thread.Sleep(200);
        team.Run(task, 2);

        Assert.All(task.Done, count => Assert.Equal(2, count));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_member_that_fails_ends_the_task_and_not_the_team(int member)
    {
        var team = new WorkerTeam(2);

        var exception = Assert.Throws<InvalidOperationException>(() => team.Run(new Failing(member), 2));
        Assert.Contains("one member", exception.ToString(), StringComparison.Ordinal);

        var task = new Counting(phases: 3, items: 4);
        team.Run(task, 2);
        Assert.All(task.Done, count => Assert.Equal(1, count));
    }

    [Fact]
    public void A_task_allocates_nothing()
    {
        var team = new WorkerTeam(2);
        var task = new Counting(phases: 3, items: 4);
        team.Run(task, 2);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 100; round++) team.Run(task, 2);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private sealed class Counting(int phases, int items) : ITeamTask
    {
        private int _members;
        private int _inPhase;

        public int[] Done { get; } = new int[phases * items];

        public bool SawUnfinishedPhase { get; private set; }

        public int Members => _members;

        public void Work(WorkerTeam team, int member)
        {
            InterlockedMax(ref _members, member + 1);
            for (int phase = 0; phase < phases; phase++)
            {
                while (team.TakeItem(member, items, out int item))
                {
                    Interlocked.Increment(ref Done[(phase * items) + item]);
                    Interlocked.Increment(ref _inPhase);
                }

                team.Meet();
                if (Volatile.Read(ref _inPhase) != items) SawUnfinishedPhase = true;
                team.Meet();
                if (member == 0) _inPhase = 0;
                team.Meet();
            }
        }

        private static void InterlockedMax(ref int target, int value)
        {
            for (int found = target; found < value; found = target) Interlocked.CompareExchange(ref target, value, found);
        }
    }

    private sealed class Failing(int which) : ITeamTask
    {
        public void Work(WorkerTeam team, int member)
        {
            if (member == which) throw new ArgumentException("one member");
            team.Meet();
        }
    }
}
