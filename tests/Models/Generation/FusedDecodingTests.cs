using MLComponents.Testing;
using MLComponents.Tokenization;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class FusedDecodingTests
{
    private static readonly int[][] s_texts = [[5, 9, 33, 41, 8, 17, 22], [4, 50], [12, 7, 7, 30], [44]];

    public static TheoryData<string, string> ModelsAndWidths()
    {
        var rows = new TheoryData<string, string>();
        foreach (string name in CacheModels.Names)
            foreach (string width in Enum.GetNames<VectorWidth>())
                rows.Add(name, width);
        return rows;
    }

    public static IEnumerable<TheoryDataRow<string, int>> Samples() => FamilySamples.Rows();

    [Theory]
    [MemberData(nameof(ModelsAndWidths))]
    public void Every_width_of_vectors_gives_the_logits_of_the_forward_pass(string name, string width)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        CompareSteps(model, new FusedDecodingModel(model) { Width = Enum.Parse<VectorWidth>(width), LongPrompt = int.MaxValue });
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_family_gives_the_logits_of_the_forward_pass_whatever_its_switches(string family, int seed)
    {
        foreach (bool byForwardPass in (bool[])[true, false])
        {
            using var model = new CausalLanguageModel(FamilySamples.Config(family, seed, lengthDependentRope: true), seed: 1);
            CompareSteps(model, new FusedDecodingModel(model) { LongPrompt = byForwardPass ? 1 : int.MaxValue });
        }
    }

    [Theory]
    [MemberData(nameof(ModelsAndWidths))]
    public void In_bfloat16_the_logits_are_no_further_from_float32_than_those_of_the_forward_pass(string name, string width)
    {
        using var exact = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        using var rounded = new CausalLanguageModel(CacheModels.Config(name), seed: 1, ScalarType.BFloat16);
        foreach (var (wide, narrow) in exact.parameters().Zip(rounded.parameters()))
        {
            using var noGradient = no_grad();
            narrow.copy_(wide);
            wide.copy_(narrow);
        }

        using IDecodingBatch expected = new TorchDecodingModel(exact).NewBatch(4, canForget: true);
        using IDecodingBatch torch = new TorchDecodingModel(rounded).NewBatch(4, canForget: true);
        using IDecodingBatch fused = new FusedDecodingModel(rounded) { Width = Enum.Parse<VectorWidth>(width), LongPrompt = int.MaxValue }.NewBatch(4, canForget: true);
        Assert.IsType<FusedDecodingBatch>(fused);
        double allowed = 0, found = 0;
        for (int step = 0; step < 12; step++)
        {
            int[][] tokens = step == 0 ? s_texts : [[3 + step], [20 + step], [40 - step], [7]];
            float[] right = Read(expected, tokens), theirs = Read(torch, tokens), ours = Read(fused, tokens);
            allowed = Math.Max(allowed, right.Zip(theirs, (a, b) => Math.Abs(a - b)).Max());
            found = Math.Max(found, right.Zip(ours, (a, b) => Math.Abs(a - b)).Max());
        }

        Assert.InRange(found, 1e-6, 1.5 * allowed);
    }

    [Fact]
    public void Rows_give_the_same_bits_alone_among_others_and_with_another_number_of_threads()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1, ScalarType.BFloat16);
        var decoding = new FusedDecodingModel(model) { LongPrompt = int.MaxValue, Team = new WorkerTeam(3) };
        int threads = get_num_threads();
        try
        {
            set_num_threads(3);
            using IDecodingBatch together = decoding.NewBatch(4, canForget: true);
            float[][] expected = [Read(together, s_texts), Read(together, [[9], [8], [7], [6]])];

            set_num_threads(1);
            for (int row = 0; row < s_texts.Length; row++)
            {
                using IDecodingBatch alone = decoding.NewBatch(1, canForget: true);
                Assert.Equal(Row(model, expected[0], row), Read(alone, [s_texts[row]]));
                Assert.Equal(Row(model, expected[1], row), Read(alone, [[9 - row]]));
            }
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void Callers_that_wait_at_the_same_time_share_a_pass_and_get_the_bits_that_they_get_alone()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1, ScalarType.BFloat16);
        using var held = new HeldTeam();
        var decoding = new FusedDecodingModel(model) { LongPrompt = int.MaxValue, Team = held.Team };
        float[][] alone = Array.ConvertAll(s_texts, text => ReadOnce(decoding, text));
        long before = decoding.Passes.Passes;

        held.Hold();
        var together = new float[s_texts.Length][];
        Thread[] callers = [.. Enumerable.Range(0, s_texts.Length).Select(caller => new Thread(() => together[caller] = ReadOnce(decoding, s_texts[caller])))];
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
    public void Rows_longer_than_pages_and_steps_go_on_after_they_join_leave_are_copied_and_forget()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2, some layers slide"), seed: 1);
        int[] text = [.. Enumerable.Range(0, 150).Select(place => 3 + (place * place % 57))];
        Run(new FusedDecodingModel(model) { LongPrompt = int.MaxValue });
        Run(new FusedDecodingModel(model) { LongPrompt = 20 });

        void Run(IDecodingModel decoding)
        {
            using IDecodingBatch batch = decoding.NewBatch(2, canForget: true), late = decoding.NewBatch(1, canForget: true);
            Read(batch, [text[..100], text[..31]]);
            Read(batch, [text[100..140], text[31..71]]);
            Read(late, [text[..64]]);
            batch.Join(late);
            Assert.Equal(0, late.RowCount);
            batch.Select([2, 0, 0, 1]);
            AssertClose(Alone(model, [.. text[..64], 5]), Row(model, Read(batch, [[5], [6], [7], [8]]), 0));
            using IDecodingBatch clone = batch.Clone();
            batch.Forget(10);
            float[] ours = Read(batch, [[11, 12], [13, 14], [15, 16], [17, 18]]), theirs = Read(clone, [[21], [22], [23], [24]]);
            AssertClose(Alone(model, [.. text[..55], 11, 12]), Row(model, ours, 0));
            AssertClose(Alone(model, [.. text[..131], 13, 14]), Row(model, ours, 1));
            AssertClose(Alone(model, [.. text[..131], 15, 16]), Row(model, ours, 2));
            AssertClose(Alone(model, [.. text[..62], 17, 18]), Row(model, ours, 3));
            AssertClose(Alone(model, [.. text[..64], 5, 21]), Row(model, theirs, 0));
            AssertClose(Alone(model, [.. text[..140], 6, 22]), Row(model, theirs, 1));
            AssertClose(Alone(model, [.. text[..140], 7, 23]), Row(model, theirs, 2));
            AssertClose(Alone(model, [.. text[..71], 8, 24]), Row(model, theirs, 3));
            Assert.Equal([.. text[..131], 15, 16], batch.TokensOf(2).ToArray());
        }
    }

    [Theory]
    [InlineData("phi3, all layers slide", false)]
    [InlineData("phi3, all layers slide", true)]
    [InlineData("qwen2, some layers slide", false)]
    [InlineData("qwen2, some layers slide", true)]
    public void Rows_let_go_of_what_windows_have_passed_and_go_on_with_the_same_bits(string name, bool byForwardPass)
    {
        DecoderConfig config = CacheModels.Config(name);
        using var model = new CausalLanguageModel(config, seed: 1);
        var decoding = new FusedDecodingModel(model) { LongPrompt = byForwardPass ? 1 : int.MaxValue };
        int[] text = [.. Enumerable.Range(0, 300).Select(place => 3 + (place * place % 50))];
        using IDecodingBatch all = decoding.NewBatch(1, canForget: true), windows = decoding.NewBatch(1, canForget: false);
        Assert.Equal(Read(all, [text[..200]]), Read(windows, [text[..200]]));
        using IDecodingBatch copy = windows.Clone();
        windows.Select([0, 0]);
        for (int place = 200; place < 300; place++)
        {
            float[] expected = Read(all, [text[place..(place + 1)]]), found = Read(windows, [text[place..(place + 1)], text[place..(place + 1)]]);
            Assert.Equal([.. expected, .. expected], found);
        }

        // Of the pages of sliding layers, which see 4 tokens, a row keeps 1 or 2.
        int full = Enumerable.Range(0, config.LayerCount).All(layer => config.WindowOf(layer) is not null) ? 0 : 300 / CachePages.Tokens + 1;
        using IDecodingBatch fresh = decoding.NewBatch(1, canForget: false);
        long empty = CachePages.Live;
        Read(fresh, [text[..290]]);
        Assert.InRange(CachePages.Live - empty, full + 1, full + 2);
    }

    [Fact]
    public void Scored_positions_and_hidden_states_are_those_of_the_last_tokens()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        int[] text = [.. Enumerable.Range(0, 100).Select(place => 3 + (place % 50))];
        foreach (int longPrompt in (int[])[1, int.MaxValue])
        {
            using IDecodingBatch batch = new FusedDecodingModel(model) { LongPrompt = longPrompt }.NewBatch(1, canForget: false);
            float[] logits = new float[70 * 60], hidden = new float[70 * 24];

            batch.Read(text, [text.Length], 70, logits, hidden);

            using CausalLanguageModelOutput expected = model.Forward(new DecoderInput { InputIds = tensor(text).unsqueeze(0) }, 70);
            AssertClose(expected.Logits.flatten().data<float>().ToArray(), logits);
            AssertClose(expected.Decoder.LastHiddenState.narrow(1, text.Length - 70, 70).flatten().data<float>().ToArray(), hidden);
        }
    }

    [Fact]
    public void A_token_allocates_nothing()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("phi"), seed: 1, ScalarType.BFloat16);
        using IDecodingBatch batch = new FusedDecodingModel(model).NewBatch(2, canForget: false);
        float[] logits = new float[2 * 60];
        int[] counts = [1, 1], tokens = [3, 4];

        // The lists of tokens and pages double now and then.
        for (int token = 0; token < 70; token++) batch.Read(tokens, counts, 1, logits);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int token = 0; token < 50; token++) batch.Read(tokens, counts, 1, logits);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
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

    [Fact]
    public void Training_counts_at_once_and_what_cannot_be_read_from_bare_weights_is_left_to_the_forward_pass()
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        var decoding = new FusedDecodingModel(model);
        int[] text = [4, 5, 6];
        Check();

        using (no_grad()) foreach (var parameter in model.parameters()) parameter.mul_(0.9);
        Check();

        model.UntieWordEmbeddings();
        Check();
        model.ResizeTokenEmbeddings(77);
        Check();
        model.TieWordEmbeddings();
        Check();

        LoraAdapter adapter = model.Adapters.Add(new LoraOptions { Initialization = LoraInitialization.Random, TargetModules = ["q_proj"] });
        using (IDecodingBatch batch = decoding.NewBatch(1, canForget: false))
        {
            Assert.IsType<TorchDecodingBatch>(batch);
            AssertClose(Alone(model, text), Read(batch, [text], model.Config.VocabularySize));
        }

        model.Adapters.Merge();
        Check();

        void Check()
        {
            using IDecodingBatch batch = decoding.NewBatch(1, canForget: false);
            Assert.IsType<FusedDecodingBatch>(batch);
            AssertClose(Alone(model, text), Read(batch, [text], model.Config.VocabularySize));
        }
    }

    [Theory]
    [MemberData(nameof(ModelsAndWidths))]
    public void In_eight_bits_the_logits_are_those_of_a_model_with_the_rounded_weights(string name, string width)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        using var rounded = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        using IDecodingBatch batch = new FusedDecodingModel(model) { Width = Enum.Parse<VectorWidth>(width), InEightBits = true, LongPrompt = int.MaxValue }.NewBatch(1, canForget: false);
        float[] found = Read(batch, [s_texts[0]]);
        rounded.UntieWordEmbeddings();
        Round(rounded);

        AssertClose(Alone(rounded, s_texts[0]), found);
        Assert.True(Alone(model, s_texts[0]).Zip(found, (a, b) => Math.Abs(a - b)).Max() > 1e-3);
    }

    [Fact]
    public void Eight_bits_are_asked_for_at_the_model_and_refused_where_they_cannot_be_had()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("llama"), seed: 1);
        Assert.False(model.GeneratesInEightBits);
        float[] exact = Logits();
        model.GeneratesInEightBits = true;
        Assert.True(model.GeneratesInEightBits);
        Assert.NotEqual(exact, Logits());

        model.Adapters.Add(new LoraOptions { TargetModules = ["q_proj"] });
        Assert.Contains("adapters", Assert.Throws<InvalidOperationException>(Logits).Message, StringComparison.Ordinal);
        model.GeneratesInEightBits = false;
        AssertClose(exact, Logits());

        float[] Logits()
        {
            using IDecodingBatch batch = model.Decoding.NewBatch(1, canForget: false);
            return Read(batch, [s_texts[0]]);
        }
    }

    [Fact]
    public void Eight_bits_cost_less_than_half_a_percent_of_the_likelihood_of_a_text()
    {
        using CausalLanguageModel model = CausalLanguageModel.Load(SmolLm2.Folder("qwen2"));
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(SmolLm2.Folder("qwen2"));
        int[] text = [.. tokenizer.Encode(
            "The history of the lighthouse goes back to the time when fires were lit on hills to guide ships at night. Later they were put on platforms, and in the "
            + "third century before Christ the tower of Alexandria was built, which stood for more than a thousand years.").Ids];
        double exact = Likelihood(inEightBits: false), rounded = Likelihood(inEightBits: true);

        Assert.InRange(exact, 1, 4);
        Assert.Equal(exact, rounded, 0.005 * exact);

        double Likelihood(bool inEightBits)
        {
            using IDecodingBatch batch = new FusedDecodingModel(model) { InEightBits = inEightBits, LongPrompt = int.MaxValue }.NewBatch(1, canForget: false);
            int vocabulary = model.Config.VocabularySize;
            var logits = new float[text.Length * vocabulary];
            batch.Read(text, [text.Length], text.Length, logits);
            double sum = 0;
            for (int place = 0; place < text.Length - 1; place++)
            {
                ReadOnlySpan<float> row = logits.AsSpan(place * vocabulary, vocabulary);
                double total = 0;
                foreach (float logit in row) total += Math.Exp(logit - row[0]);
                sum += Math.Log(total) + row[0] - row[text[place + 1]];
            }

            return sum / (text.Length - 1);
        }
    }

    [Fact]
    public void Rows_are_not_read_with_weights_that_are_gone()
    {
        var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        using IDecodingBatch batch = new FusedDecodingModel(model).NewBatch(1, canForget: false);
        Read(batch, [[3, 4]]);
        model.ResizeTokenEmbeddings(77);
        Assert.Throws<InvalidOperationException>(() => Read(batch, [[5]]));
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Read(batch, [[5]]));
    }

    [Fact]
    public void Batches_leave_no_page_and_no_tensor_behind()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2, some layers slide"), seed: 1);
        var decoding = new FusedDecodingModel(model) { LongPrompt = 5 };
        int[] text = [.. Enumerable.Repeat(7, 50)];
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long pages = CachePages.Live;
        LeakTests.AssertSteady(() =>
        {
            using IDecodingBatch batch = decoding.NewBatch(2, canForget: false), late = decoding.NewBatch(1, canForget: false);
            Read(batch, [text, [4]]);
            Read(late, [text]);
            batch.Join(late);
            batch.Select([2, 2, 0]);
            using IDecodingBatch clone = batch.Clone();
            Read(clone, [[1], [2], [3]]);
            batch.Forget(40);
            batch.Select([1]);
        });
        Assert.Equal(pages, CachePages.Live);
    }

    /// <summary>Gives matrices the values that they have in eight bits.</summary>
    private static unsafe void Round(CausalLanguageModel model)
    {
        using var noGradient = no_grad();
        foreach (Linear layer in model.modules().OfType<Linear>().Where(layer => layer.OwnsWeight))
        {
            (int outputs, int width) = ((int)layer.Weight.shape[0], (int)layer.Weight.shape[1]);
            float[] values = layer.Weight.data<float>().ToArray();
            fixed (byte* row = new byte[Int8Numbers.BytesOf(width)])
            {
                for (int output = 0; output < outputs; output++)
                {
                    Int8Numbers.Store(values.AsSpan(output * width, width), row);
                    for (int k = 0; k < width; k++) values[(output * width) + k] = Int8Numbers.At(row, k);
                }
            }

            using Tensor rounded = tensor(values, [outputs, width]);
            layer.Weight.copy_(rounded);
        }
    }

    /// <summary>Texts of different lengths, tokens one by one, several at once, rows that are copied: all as by forward passes.</summary>
    private static void CompareSteps(CausalLanguageModel model, FusedDecodingModel decoding)
    {
        using IDecodingBatch expected = new TorchDecodingModel(model).NewBatch(4, canForget: true);
        using IDecodingBatch fused = decoding.NewBatch(4, canForget: true);
        if (FusedWeights.WhyNot(model) is null) Assert.IsType<FusedDecodingBatch>(fused);
        Compare(s_texts);
        for (int step = 0; step < 4; step++) Compare([[3 + step], [20 + step], [40 - step], [7]]);
        Compare([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]);
        expected.Select([2, 1, 1, 0, 3]);
        fused.Select([2, 1, 1, 0, 3]);
        for (int step = 0; step < 4; step++) Compare([[3 + step], [20 + step], [40 - step], [7], [30]]);

        void Compare(int[][] tokens) => AssertClose(Read(expected, tokens, model.Config.VocabularySize), Read(fused, tokens, model.Config.VocabularySize));
    }

    private static float[] Read(IDecodingBatch batch, int[][] tokens, int vocabulary = 60)
    {
        var logits = new float[tokens.Length * vocabulary];
        batch.Read([.. tokens.SelectMany(row => row)], [.. tokens.Select(row => row.Length)], 1, logits);
        return logits;
    }

    private static float[] Row(CausalLanguageModel model, float[] logits, int row) =>
        logits[(model.Config.VocabularySize * row)..(model.Config.VocabularySize * (row + 1))];

    private static float[] Alone(CausalLanguageModel model, int[] text)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModelOutput output = model.Forward(new DecoderInput { InputIds = tensor(text).unsqueeze(0) }, 1);
        return output.Logits.flatten().data<float>().ToArray();
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double scale = Math.Max(1, expected.Max(Math.Abs)), difference = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(difference <= 1e-4 * scale, $"The largest difference is {difference:E2} at a scale of {scale:F2}.");
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
