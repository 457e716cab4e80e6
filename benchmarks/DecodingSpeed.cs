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
    public static void Compare(string folder, int rounds)
    {
        using var noGradient = no_grad();
        set_num_threads(Environment.ProcessorCount);
        using CausalLanguageModel model = CausalLanguageModel.Load(folder, ScalarType.BFloat16);
        long weightBytes = model.ParameterCount * sizeof(ushort);
        using var probe = new ReadProbe(256 << 20);
        FusedDecodingModel fused = new(model), eightBits = new(model) { InEightBits = true };
        double read = 0, single = 0, wide = 0, one = double.MaxValue, small = double.MaxValue, many = double.MaxValue, prompt = double.MaxValue;
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
            prompt = Math.Min(prompt, SecondsForPrompt(fused));
            for (int variant = 0; variant < passes.Length; variant++) passes[variant] = Math.Min(passes[variant], RunChild(variant, folder));
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
        Line($"| prompt of {PromptLength} | {PromptLength / prompt:F0} tokens/s, {operations / prompt / 1e9:F0} GFLOP/s | {operations / prompt / gemm:P0} of the better product |");
        for (int variant = 0; variant < passes.Length; variant++)
            Line($"| {s_variants[variant].Name}, 1 row | {1e3 * passes[variant]:F2} ms a token | {passes[variant] / one:F2} times fused |");

        static void Line(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
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
