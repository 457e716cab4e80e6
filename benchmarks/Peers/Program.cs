using System.Diagnostics;
using System.Globalization;
using LLama;
using LLama.Common;
using LLama.Native;

// llama.cpp's speed through LLamaSharp, as benchmarks/DecodingSpeed.cs measures this library's: one token behind 64 others, a prompt of 512.
// Arguments: a .gguf file; where to keep it converted to bfloat16. Prints a line for each: name, seconds of a token, seconds of the prompt.
const int Context = 64, Tokens = 24, PromptLength = 512;
NativeLibraryConfig.All.WithLogCallback(static (_, _) => { });
NativeApi.llama_empty_call();
(string original, string converted) = (args[0], args[1]);
if (!File.Exists(converted)) Convert(original, converted);
foreach ((string name, string path) in new[] { ("llama.cpp, bf16", converted), ($"llama.cpp, {Path.GetFileNameWithoutExtension(original)}", original) })
{
    var parameters = new ModelParams(path) { ContextSize = 1024, BatchSize = PromptLength, UBatchSize = PromptLength, Threads = Environment.ProcessorCount, BatchThreads = Environment.ProcessorCount, GpuLayerCount = 0 };
    using LLamaWeights weights = LLamaWeights.LoadFromFile(parameters);
    using LLamaContext context = weights.CreateContext(parameters);
    double prompt = double.MaxValue, token = double.MaxValue;
    for (int time = 0; time < 3; time++)
    {
        context.NativeHandle.MemoryClear();
        prompt = Math.Min(prompt, Read(context, [.. Enumerable.Range(0, PromptLength).Select(place => 3 + (place * 7 % 1000))], 0));
    }

    context.NativeHandle.MemoryClear();
    Read(context, [.. Enumerable.Range(0, Context).Select(place => 3 + (place % 1000))], 0);
    for (int place = 0; place < Tokens; place++) token = Math.Min(token, Read(context, [100], Context + place));
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name};{token};{prompt}"));
}

static void Convert(string from, string to)
{
    LLamaModelQuantizeParams parameters = LLamaModelQuantizeParams.Default();
    (parameters.ftype, parameters.nthread, parameters.allow_requantize) = (LLamaFtype.MOSTLY_BF16, Environment.ProcessorCount, true);
    uint result = NativeApi.llama_model_quantize(from, to, ref parameters);
    if (result != 0) throw new InvalidOperationException($"llama.cpp could not convert {from} to bfloat16: {result}.");
}

static double Read(LLamaContext context, int[] tokens, int position)
{
    var batch = new LLamaBatch();
    for (int index = 0; index < tokens.Length; index++) batch.Add(tokens[index], position + index, LLamaSeqId.Zero, index == tokens.Length - 1);
    long start = Stopwatch.GetTimestamp();
    DecodeResult result = context.NativeHandle.Decode(batch);
    _ = context.NativeHandle.GetLogitsIth(tokens.Length - 1)[0];
    double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
    return result == DecodeResult.Ok ? seconds : throw new InvalidOperationException($"llama.cpp says {result}.");
}
