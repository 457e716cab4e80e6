using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using MLComponents.Models;
using MLComponents.Models.Tests;
using static TorchSharp.torch;

namespace MLComponents.Benchmarks;

/// <summary>
/// Loading a model of random weights from every kind of file and into every element type, against plainly reading the same file. Each variant runs
/// in a process of its own, in turn, with the file in the system's cache or not.
/// </summary>
internal static class Loading
{
    private const int ReadBytes = 1 << 20;

    private static readonly string[] s_readings = ["read-reused-buffer", "read-fresh-memory"];

    /// <summary>Makes the files, runs the variants in turn, prints medians, and deletes the files.</summary>
    public static void Compare(string root, double gigabytes, int rounds, bool isCold)
    {
        Directory.CreateDirectory(root);
        try
        {
            TinyDecoder.Save(Path.Combine(root, "tiny"));
            string[] folders = [.. MakeFolders(root, gigabytes)];
            (string Variant, string Folder)[] variants =
            [
                .. folders.SelectMany(folder => s_readings.Select(reading => (reading, folder))),
                .. folders.SelectMany(folder => ((string[])["load-bfloat16", "load-float32"]).Select(load => (load, folder))),
            ];
            var results = variants.ToDictionary(variant => variant, _ => new List<double[]>());
            for (int round = 0; round < rounds; round++)
                foreach (var variant in variants) results[variant].Add(RunChild(variant.Variant, variant.Folder, isCold));

            Console.WriteLine($"loading, {(isCold ? "not in" : "in")} the system's cache; {Machine.Describe()}");
            Console.WriteLine("| file | GB | what is done | seconds | range | processor seconds | speed, of reading into fresh memory | peak memory beyond before, GB | of the weights |");
            Console.WriteLine("|-|-|-|-|-|-|-|-|-|");
            foreach (var (variant, folder) in variants)
            {
                double[][] runs = [.. results[(variant, folder)]];
                double seconds = Median(runs, 0), weights = runs[0][3], peak = runs.Max(run => run[2]);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {Path.GetFileName(folder)} | {runs[0][1] / 1e9:F2} | {variant} | {seconds:F2} | {runs.Min(run => run[0]):F2}-{runs.Max(run => run[0]):F2} | {Median(runs, 4):F2} | {Median([.. results[(s_readings[1], folder)]], 0) / seconds:F2} | {peak / 1e9:F2} | {(weights > 0 ? $"{peak / weights:F3}" : "")} |"));
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>One variant, in this process: prints seconds, bytes of the file, bytes of memory at the peak beyond those before, bytes of weights, seconds of the processors.</summary>
    public static void Run(string variant, string folder, bool isCold)
    {
        set_num_threads(Environment.ProcessorCount);
        CausalLanguageModel.Load(Path.Combine(folder, "..", "tiny")).Dispose(); // what is loaded and compiled once
        string file = Directory.EnumerateFiles(folder).MaxBy(path => new FileInfo(path).Length)!;
        if (isCold) DropFromCache(file);
        long before = ResetPeak(), weights = 0, start = Stopwatch.GetTimestamp();
        TimeSpan processor = Environment.CpuUsage.TotalTime, time;
        if (s_readings.Contains(variant))
        {
            Read(file, isFresh: variant == s_readings[1]);
            time = Stopwatch.GetElapsedTime(start);
        }
        else
        {
            using CausalLanguageModel model = CausalLanguageModel.Load(folder, variant == "load-bfloat16" ? ScalarType.BFloat16 : ScalarType.Float32);
            time = Stopwatch.GetElapsedTime(start);
            weights = model.ParameterCount * (model.DType == ScalarType.BFloat16 ? 2 : 4);
        }

        processor = Environment.CpuUsage.TotalTime - processor;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"RESULT {time.TotalSeconds} {new FileInfo(file).Length} {Status("VmHWM") - before} {weights} {processor.TotalSeconds}"));
    }

    private static double Median(double[][] runs, int column) => runs.Select(run => run[column]).Order().ElementAt(runs.Length / 2);

    private static unsafe void Read(string file, bool isFresh)
    {
        using SafeFileHandle handle = File.OpenHandle(file);
        long length = RandomAccess.GetLength(handle);
        void* memory = NativeMemory.Alloc(isFresh ? (nuint)length : ReadBytes);
        for (long at = 0; at < length;)
            at += RandomAccess.Read(handle, new Span<byte>((byte*)memory + (isFresh ? at : 0), (int)Math.Min(ReadBytes, length - at)), at);
        NativeMemory.Free(memory);
    }

    private static IEnumerable<string> MakeFolders(string root, double gigabytes)
    {
        // 16 × 1536² weights are a layer; so many layers as fill the file.
        const int Hidden = 1536, Vocabulary = 32_000;
        foreach (ScalarType type in (ScalarType[])[ScalarType.BFloat16, ScalarType.Float32])
        {
            double weights = gigabytes * 1e9 / (type == ScalarType.BFloat16 ? 2 : 4);
            int layers = Math.Max(1, (int)((weights - 2.0 * Hidden * Vocabulary) / (16.0 * Hidden * Hidden)));
            DecoderConfig config = DecoderConfig.Parse(Encoding.UTF8.GetBytes(
                $$"""
                {"model_type": "qwen2", "vocab_size": {{Vocabulary}}, "hidden_size": {{Hidden}}, "intermediate_size": {{4 * Hidden}}, "num_hidden_layers": {{layers}}, "num_attention_heads": 12,
                 "num_key_value_heads": 12, "max_position_embeddings": 2048}
                """));
            string safetensors = Path.Combine(root, $"safetensors-{type}".ToLowerInvariant()), torch = Path.Combine(root, $"pytorch-{type}".ToLowerInvariant());
            using var model = new CausalLanguageModel(config, dtype: type);
            ModelFolder.Save(model, safetensors, maxShardBytes: long.MaxValue);
            Directory.CreateDirectory(torch);
            File.Copy(Path.Combine(safetensors, ModelFolder.ConfigName), Path.Combine(torch, ModelFolder.ConfigName));
            WriteTorchFile(model, Path.Combine(torch, "pytorch_model.bin"));
            yield return safetensors;
            yield return torch;
        }
    }

    private static void WriteTorchFile(CausalLanguageModel model, string path)
    {
        (string Name, Tensor Value)[] tensors = [.. model.named_parameters().Select(pair => (pair.name, (Tensor)pair.parameter))];
        var dictionary = new PythonGlobal("collections", "OrderedDict");
        var storage = new PythonGlobal("torch", model.DType == ScalarType.BFloat16 ? "BFloat16Storage" : "FloatStorage");
        var state = new PythonCall(dictionary, [],
        [
            .. tensors.Select((tensor, number) => (tensor.Name, (object?)new PythonCall(new PythonGlobal("torch._utils", "_rebuild_tensor_v2"),
            [
                new PythonPersistent(["storage", storage, $"{number}", "cpu", tensor.Value.NumberOfElements]), 0, tensor.Value.shape.Select(size => (object?)size).ToArray(),
                tensor.Value.stride().Select(stride => (object?)stride).ToArray(), false, new PythonCall(dictionary, []),
            ]))),
        ]);
        using FileStream file = File.Create(path);
        using var archive = new ZipArchive(file, ZipArchiveMode.Create);
        using (Stream entry = archive.CreateEntry("archive/data.pkl", CompressionLevel.NoCompression).Open()) entry.Write(PickleWriter.Pickle(state));
        for (int number = 0; number < tensors.Length; number++)
        {
            using Stream entry = archive.CreateEntry($"archive/data/{number}", CompressionLevel.NoCompression).Open();
            TensorBytes.Write(tensors[number].Value, model.DType, entry);
        }
    }

    private static double[] RunChild(string variant, string folder, bool isCold)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(Loading).Assembly.Location, "loading-variant", variant, folder, $"{isCold}"]) { RedirectStandardOutput = true };
        using Process child = Process.Start(start)!;
        string text = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        string result = text.Split('\n').SingleOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"The variant {variant} ended with code {child.ExitCode} and printed: {text}");
        return [.. result.Split(' ')[1..].Select(value => double.Parse(value, CultureInfo.InvariantCulture))];
    }

    /// <summary>Forgets the largest memory so far and gives the present one, in bytes.</summary>
    private static long ResetPeak()
    {
        File.WriteAllText("/proc/self/clear_refs", "5");
        return Status("VmRSS");
    }

    private static long Status(string name) => 1024 * long.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(':')[1].Replace("kB", "").Trim(), CultureInfo.InvariantCulture);

    private static void DropFromCache(string path)
    {
        const int DontNeed = 4;
        using FileStream file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
        if (posix_fadvise((int)file.SafeFileHandle.DangerousGetHandle(), 0, 0, DontNeed) != 0) throw new InvalidOperationException($"{path} could not be dropped from the cache.");
    }

    [DllImport("libc")]
    private static extern int posix_fadvise(int file, long offset, long length, int advice);
}
