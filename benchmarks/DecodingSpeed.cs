using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MLComponents.Models;
using static TorchSharp.torch;

namespace MLComponents.Benchmarks;

/// <summary>
/// How near decoding comes to what the machine allows: the fused kernels and the model's forward passes token by token, beside probes of memory and of matrix
/// products, in turn. The forward passes' variants run in processes of their own, as how libtorch computes is decided when it is loaded.
/// </summary>
internal static class DecodingSpeed
{
    private const int Context = 64;
    private const int Tokens = 24;
    private const int PromptLength = 512;
    private const int LargeBatch = 8;
    private const int GemmSize = 1024;

    private static readonly string[] s_withoutNewInstructions =
        ["ONEDNN_MAX_CPU_ISA=AVX2", "MKL_ENABLE_INSTRUCTIONS=AVX2", "ATEN_CPU_CAPABILITY=avx2", "MLCOMPONENTS_BFLOAT16=native"];

    private static readonly (string Name, ScalarType DType, string[] Environment)[] s_variants =
    [
        ("forward passes, float32", ScalarType.Float32, []),
        ("forward passes, bf16", ScalarType.BFloat16, []),
        ("forward passes, bf16, libtorch's AVX2 kernels", ScalarType.BFloat16, s_withoutNewInstructions),
    ];

    /// <summary>Measures everything in turn, a few times, and prints the best of each.</summary>
    /// <param name="folder">A model; its weights are read.</param>
    /// <param name="rounds">How often.</param>
    /// <param name="peer">Nothing, or the program of benchmarks/Peers and its arguments, which measures llama.cpp.</param>
    public static void Compare(string folder, int rounds, string[] peer)
    {
        using var noGradient = no_grad();
        set_num_threads(Environment.ProcessorCount);
        using CausalLanguageModel model = CausalLanguageModel.Load(folder, ScalarType.BFloat16);
        long weightBytes = model.ParameterCount * sizeof(ushort);
        using var probe = new ReadProbe(256 << 20);
        FusedDecodingModel fused = new(model), eightBits = new(model) { InEightBits = true };
        double read = 0, single = 0, wide = 0, one = double.MaxValue, small = double.MaxValue, many = double.MaxValue, callers = double.MaxValue, prompt = double.MaxValue;
        var others = new Dictionary<string, (double Token, double Prompt)>();
        double[] passes = [.. s_variants.Select(static _ => double.MaxValue)];
        for (int round = 0; round < rounds; round++)
        {
            read = Math.Max(read, probe.BytesPerSecond());
            single = Math.Max(single, Gemm(ScalarType.Float32));
            wide = Math.Max(wide, Gemm(ScalarType.BFloat16));
            one = Math.Min(one, SecondsPerStep(fused, 1));
            read = Math.Max(read, probe.BytesPerSecond());
            small = Math.Min(small, SecondsPerStep(eightBits, 1));
            many = Math.Min(many, SecondsPerStep(fused, LargeBatch));
            callers = Math.Min(callers, SecondsPerStepOfCallers(fused, LargeBatch));
            prompt = Math.Min(prompt, SecondsForPrompt(fused));
            for (int variant = 0; variant < passes.Length; variant++) passes[variant] = Math.Min(passes[variant], RunChild(variant, folder));
            foreach ((string name, double token, double text) in RunPeer(peer))
            {
                var before = others.GetValueOrDefault(name, (Token: double.MaxValue, Prompt: double.MaxValue));
                others[name] = (Math.Min(before.Token, token), Math.Min(before.Prompt, text));
            }
        }

        // The embedding is looked up; it is multiplied with for the last token only. Scores and values: two products over the tokens before, half of them on average.
        DecoderConfig config = model.Config;
        double multiplied = model.ParameterCount - ((double)config.VocabularySize * config.HiddenSize * (config.TieWordEmbeddings ? 1 : 2));
        double attention = 2.0 * config.LayerCount * config.HeadCount * config.HeadSize * PromptLength;
        double operations = PromptLength * ((2 * multiplied) + attention);
        double best = passes.Min(), gemm = Math.Max(single, wide);
        Console.WriteLine($"decoding speed, {Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))}, bf16, {get_num_threads()} threads; {Machine.Describe()}; vectors of {VectorWidths.Best}; best of {rounds} rounds");
        Console.WriteLine("| what | figure | beside |");
        Console.WriteLine("|-|-|-|");
        Line($"| reading memory, all threads | {read / 1e9:F1} GB/s | |");
        Line($"| product {GemmSize}³, float32 | {single / 1e9:F0} GFLOP/s | |");
        Line($"| product {GemmSize}³, bf16 | {wide / 1e9:F0} GFLOP/s | |");
        Line($"| fused, 1 row | {1e3 * one:F2} ms a token, {weightBytes / one / 1e9:F1} GB/s | {weightBytes / one / read:P0} of reading; {best / one:F2} times the best forward pass |");
        Line($"| fused, eight bits, 1 row | {1e3 * small:F2} ms a token | {one / small:F2} times bf16's speed |");
        Line($"| fused, {LargeBatch} rows | {1e3 * many:F2} ms a step, {LargeBatch / many:F0} tokens/s | {LargeBatch * one / many:F2} times 1 row |");
        Line($"| fused, {LargeBatch} callers at once | {1e3 * callers:F2} ms a token of each, {LargeBatch / callers:F0} tokens/s | {LargeBatch * one / callers:F2} times 1 row |");
        Line($"| prompt of {PromptLength} | {PromptLength / prompt:F0} tokens/s, {operations / prompt / 1e9:F0} GFLOP/s | {operations / prompt / gemm:P0} of the better product |");
        for (int variant = 0; variant < passes.Length; variant++)
            Line($"| {s_variants[variant].Name}, 1 row | {1e3 * passes[variant]:F2} ms a token | {passes[variant] / one:F2} times fused |");
        foreach ((string name, var other) in others)
            Line($"| {name}, 1 row; prompt of {PromptLength} | {1e3 * other.Token:F2} ms a token; {PromptLength / other.Prompt:F0} tokens/s | {other.Token / one:F2}; {other.Prompt / prompt:F2} times fused |");

        static void Line(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Prompts of several lengths read by the fused kernels and by forward passes, one thread, by processor time: where one should take over from the other.</summary>
    /// <param name="folder">A model; its weights are read.</param>
    /// <param name="lengths">Tokens of the prompts.</param>
    /// <param name="rounds">How often, of which the fastest counts.</param>
    public static void ComparePrompts(string folder, int[] lengths, int rounds)
    {
        using var noGradient = no_grad();
        set_num_threads(1);
        using CausalLanguageModel model = CausalLanguageModel.Load(folder, ScalarType.BFloat16);
        var team = new WorkerTeam(1);
        FusedDecodingModel kernels = new(model) { LongPrompt = int.MaxValue, Team = team }, passes = new(model) { LongPrompt = 1, Team = team };
        Console.WriteLine($"prompts, {Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))}, bf16, 1 thread; {Machine.Describe()}; vectors of {VectorWidths.Best}; processor time, least of {rounds}");
        Console.WriteLine("| tokens | fused kernels, tokens/s | forward passes, tokens/s | product 1024³ float32 / bf16, GFLOP/s |");
        Console.WriteLine("|-|-|-|-|");
        foreach (int length in lengths)
        {
            (double kernel, double pass, double single, double wide) = (double.MaxValue, double.MaxValue, double.MaxValue, double.MaxValue);
            for (int round = 0; round < rounds; round++)
            {
                kernel = Math.Min(kernel, Spent.Least(1, () => Read(kernels, length)).ProcessorSeconds);
                pass = Math.Min(pass, Spent.Least(1, () => Read(passes, length)).ProcessorSeconds);
                single = Math.Min(single, Spent.Least(1, () => Multiply(ScalarType.Float32)).ProcessorSeconds);
                wide = Math.Min(wide, Spent.Least(1, () => Multiply(ScalarType.BFloat16)).ProcessorSeconds);
            }

            double operations = 2.0 * GemmSize * GemmSize * GemmSize / 1e9;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {length} | {length / kernel:F0} | {length / pass:F0} | {operations / single:F0} / {operations / wide:F0} |"));
        }

        static void Read(IDecodingModel model, int length)
        {
            using IDecodingBatch batch = model.NewBatch(1, canForget: false);
            batch.Read([.. Enumerable.Range(0, length).Select(place => 3 + (place * 7 % 1000))], [length], 1, new float[model.Config.VocabularySize]);
        }

        static void Multiply(ScalarType dtype)
        {
            using var scope = NewDisposeScope();
            rand([GemmSize, GemmSize], ScalarType.Float32).to(dtype).matmul(rand([GemmSize, GemmSize], ScalarType.Float32).to(dtype));
        }
    }

    /// <summary>One variant of forward passes, in this process.</summary>
    public static void RunVariant(int variant, string folder)
    {
        using var noGradient = no_grad();
        set_num_threads(Environment.ProcessorCount);
        using CausalLanguageModel model = CausalLanguageModel.Load(folder, s_variants[variant].DType);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"RESULT {SecondsPerStep(new TorchDecodingModel(model), 1)}"));
    }

    /// <summary>The fastest step of a few: other work on the machine only adds.</summary>
    private static double SecondsPerStep(IDecodingModel model, int rows)
    {
        using IDecodingBatch batch = model.NewBatch(rows, canForget: false);
        var logits = new float[rows * model.Config.VocabularySize];
        batch.Read([.. Enumerable.Range(0, rows * Context).Select(place => 3 + (place % 1000))], [.. Enumerable.Repeat(Context, rows)], 1, logits);
        int[] next = [.. Enumerable.Range(100, rows)], counts = [.. Enumerable.Repeat(1, rows)];
        double best = double.MaxValue;
        for (int token = 0; token < Tokens; token++)
        {
            long start = Stopwatch.GetTimestamp();
            batch.Read(next, counts, 1, logits);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    /// <summary>Threads that each have a row of their own and take the most probable token.</summary>
    private static double SecondsPerStepOfCallers(IDecodingModel model, int callers)
    {
        using var start = new Barrier(callers + 1);
        Thread[] threads = [.. Enumerable.Range(0, callers).Select(caller => new Thread(() =>
        {
            using IDecodingBatch batch = model.NewBatch(1, canForget: false);
            var logits = new float[model.Config.VocabularySize];
            batch.Read([.. Enumerable.Range(0, Context).Select(place => 3 + ((place + caller) % 1000))], [Context], 1, logits);
            start.SignalAndWait();
            for (int token = 0; token < Tokens; token++) batch.Read([System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits)], [1], 1, logits);
            start.SignalAndWait();
        }))];
        foreach (Thread thread in threads) thread.Start();
        start.SignalAndWait();
        long begin = Stopwatch.GetTimestamp();
        start.SignalAndWait();
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        foreach (Thread thread in threads) thread.Join();
        return seconds / Tokens;
    }

    private static double SecondsForPrompt(IDecodingModel model)
    {
        var logits = new float[model.Config.VocabularySize];
        int[] prompt = [.. Enumerable.Range(0, PromptLength).Select(place => 3 + (place * 7 % 1000))];
        double best = double.MaxValue;
        for (int time = 0; time < 3; time++)
        {
            using IDecodingBatch batch = model.NewBatch(1, canForget: false);
            long start = Stopwatch.GetTimestamp();
            batch.Read(prompt, [PromptLength], 1, logits);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    private static double Gemm(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        Tensor left = rand([GemmSize, GemmSize], ScalarType.Float32).to(dtype), right = rand([GemmSize, GemmSize], ScalarType.Float32).to(dtype);
        double best = double.MaxValue;
        for (int time = 0; time < 6; time++)
        {
            long start = Stopwatch.GetTimestamp();
            using Tensor product = left.matmul(right);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * GemmSize * GemmSize * GemmSize / best;
    }

    private static (string Name, double Token, double Prompt)[] RunPeer(string[] peer)
    {
        if (peer.Length == 0) return [];
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (string argument in peer) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(';')).Select(fields => (fields[0], double.Parse(fields[1], CultureInfo.InvariantCulture), double.Parse(fields[2], CultureInfo.InvariantCulture)))]
            : throw new InvalidOperationException($"The peer ended with {process.ExitCode}.");
    }

    private static double RunChild(int variant, string folder)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(DecodingSpeed).Assembly.Location);
        foreach (string argument in (string[])["decoding-speed-variant", $"{variant}", folder]) start.ArgumentList.Add(argument);
        foreach (string setting in s_variants[variant].Environment) start.Environment[setting.Split('=')[0]] = setting.Split('=')[1];
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        string result = output.Split('\n').LastOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"The variant '{s_variants[variant].Name}' failed:\n{output}");
        return double.Parse(result.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Reads much memory with all threads and does nothing else with it.</summary>
    private sealed unsafe class ReadProbe : ITeamTask, IDisposable
    {
        private const int ItemBytes = 1 << 18;

        private readonly ulong* _memory;
        private readonly long _bytes;
        private ulong _sum;

        public ReadProbe(long bytes)
        {
            _bytes = bytes;
            _memory = (ulong*)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
            new Span<ulong>(_memory, (int)(bytes / sizeof(ulong))).Fill(3);
        }

        public double BytesPerSecond()
        {
            double best = double.MaxValue;
            for (int time = 0; time < 8; time++)
            {
                long start = Stopwatch.GetTimestamp();
                WorkerTeam.Shared.Run(this, Environment.ProcessorCount);
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            // What is read must be used for something.
            if (_sum == 0) throw new InvalidOperationException("Nothing was read.");
            return _bytes / best;
        }

        public void Work(WorkerTeam team, int member)
        {
            ulong sum = 0;
            while (team.TakeItem(member, (int)(_bytes / ItemBytes), out int item)) sum += Sum(_memory + ((long)item * ItemBytes / sizeof(ulong)));
            Interlocked.Add(ref _sum, sum);
        }

        public void Dispose() => NativeMemory.AlignedFree(_memory);

        private static ulong Sum(ulong* source)
        {
            Vector256<ulong> a = default, b = default, c = default, d = default;
            for (int place = 0; place < ItemBytes / sizeof(ulong); place += 16)
            {
                a += Vector256.Load(source + place);
                b += Vector256.Load(source + place + 4);
                c += Vector256.Load(source + place + 8);
                d += Vector256.Load(source + place + 12);
            }

            return Vector256.Sum(a + b + c + d);
        }
    }
}
