using static MLComponents.Models.Tests.BatchReading;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Threads and callers that read with one model at the same time.</summary>
public class SharedPassesTests
{
    [Fact]
    public void Callers_that_wait_at_the_same_time_share_a_pass_and_get_the_bits_that_they_get_alone()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1, ScalarType.BFloat16);
        using var held = new HeldTeam();
        var decoding = new FusedDecodingModel(model) { LongPrompt = int.MaxValue, Team = held.Team };
        float[][] alone = Array.ConvertAll(Texts, text => ReadOnce(decoding, text));
        long before = decoding.Passes.Passes;

        held.Hold();
        var together = new float[Texts.Length][];
        Thread[] callers = [.. Enumerable.Range(0, Texts.Length).Select(caller => new Thread(() => together[caller] = ReadOnce(decoding, Texts[caller])))];
        foreach (Thread caller in callers)
        {
            caller.Start();

            // It is computing or waiting when it is blocked: the team has no time for anyone.
            Assert.True(SpinWait.SpinUntil(() => caller.ThreadState.HasFlag(ThreadState.WaitSleepJoin), TimeSpan.FromSeconds(60)));
        }

        held.Release();
        foreach (Thread caller in callers) caller.Join();
        Assert.Equal(alone, together);
        Assert.Equal(before + 2, decoding.Passes.Passes);

        static float[] ReadOnce(FusedDecodingModel decoding, int[] text)
        {
            using IDecodingBatch batch = decoding.NewBatch(1, canForget: false);
            return Read(batch, [text]);
        }
    }

    [Fact]
    public void Many_callers_at_once_each_generate_what_they_generate_alone()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1, ScalarType.BFloat16);
        var settings = new GenerationConfig { MaxNewTokens = 40, DoSample = true, Seed = 7 };
        int[][] prompts = [.. Enumerable.Range(0, 12).Select(caller => Enumerable.Range(0, 1 + (5 * caller)).Select(place => 3 + (place * (caller + 3) % 50)).ToArray())];
        int[][] alone = Array.ConvertAll(prompts, prompt => model.Generate(prompt, settings).NewIds.ToArray());
        var together = new int[prompts.Length][];
        Parallel.For(0, prompts.Length, new ParallelOptions { MaxDegreeOfParallelism = prompts.Length }, caller => together[caller] = model.Generate(prompts[caller], settings).NewIds.ToArray());
        Assert.Equal(alone, together);
    }

    [Fact]
    public async Task Any_number_of_threads_may_read_batches_of_one_model()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("gpt_neox"), seed: 1);
        var decoding = new FusedDecodingModel(model);
        int[][] texts = [.. Enumerable.Range(0, 8).Select(text => Enumerable.Range(0, 10 + (7 * text)).Select(place => 3 + ((place + text) % 50)).ToArray())];
        float[][] expected = [.. texts.Select(text => Alone(model, [.. text, 9, 8]))];

        await Task.WhenAll(Enumerable.Range(0, texts.Length).Select(index => Task.Run(() =>
        {
            for (int round = 0; round < 5; round++)
            {
                using IDecodingBatch batch = decoding.NewBatch(1, canForget: false);
                Read(batch, [texts[index]]);
                using IDecodingBatch clone = batch.Clone();
                Read(clone, [[9]]);
                AssertClose(expected[index], Read(clone, [[8]]));
            }
        })));
    }

    /// <summary>A team that has no time while it is held.</summary>
    private sealed class HeldTeam : ITeamTask, IDisposable
    {
        private readonly ManualResetEventSlim _isHeld = new(), _release = new();
        private Thread? _holder;

        public WorkerTeam Team { get; } = new(1);

        public void Hold()
        {
            _holder = new Thread(() => Team.Run(this, 1));
            _holder.Start();
            _isHeld.Wait();
        }

        public void Release()
        {
            _release.Set();
            _holder?.Join();
        }

        public void Work(WorkerTeam team, int member)
        {
            _isHeld.Set();
            _release.Wait();
        }

        public void Dispose()
        {
            Release();
            _isHeld.Dispose();
            _release.Dispose();
        }
    }
}
