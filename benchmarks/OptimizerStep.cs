using System.Globalization;
using MLComponents.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Benchmarks;

/// <summary>The step of every optimizer over the parameters of a model, and TorchSharp's AdamW, in turn.</summary>
internal static class OptimizerStep
{
    public static void Compare(string folder, int rounds, int threads)
    {
        set_num_threads(threads);
        using var model = new SequenceClassificationModel(DecoderConfig.Load(folder), seed: 1, ScalarType.Float32);
        Compare([.. Enumerable.Repeat((long[])[256, 256], 100)], rounds, threads);
        Compare([.. model.parameters().Select(parameter => parameter.shape)], rounds, threads);
    }

    private static void Compare(long[][] shapes, int rounds, int threads)
    {
        Console.WriteLine($"one optimizer step over {shapes.Sum(shape => shape.Aggregate(1L, (product, size) => product * size)) / 1e6:F1} M weights in {shapes.Length} tensors, {threads} threads; {Machine.Describe()}");
        Console.WriteLine("| optimizer | seconds (least) | processor seconds (least) | state, GB |");
        Console.WriteLine("|-|-|-|-|");
        Print("TorchSharp's AdamW, float32", rounds, ScalarType.Float32, parameters =>
        {
            OptimizerHelper reference = optim.AdamW(parameters, lr: 1e-5, weight_decay: 0.01);
            return (() => reference.step(), parameters.Sum(parameter => parameter.NumberOfElements * 8));
        });
        foreach (ScalarType dtype in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            foreach (bool masters in dtype == ScalarType.Float32 ? (bool[])[true] : [true, false])
            {
                string form = dtype == ScalarType.Float32 ? "float32" : masters ? "bfloat16 with master weights" : "bfloat16 rounded stochastically";
                Own($"AdamW, {form}", groups => new FusedAdamW(groups, masters));
                Own($"AdamW of 8 bits, {form}", groups => new QuantizedAdamW(groups, masters));
                Own($"Adafactor, {form}", groups => new Adafactor(groups, masters));
                Own($"SGD with momentum, {form}", groups => new StochasticGradientDescent(groups, masters, momentum: 0.9));
                Own($"Lion, {form}", groups => new Lion(groups, masters));
            }

            void Own(string name, Func<ParameterGroup[], Models.Optimizer> create) => Print(name, rounds, dtype, parameters =>
            {
                Models.Optimizer optimizer = create([new ParameterGroup(parameters, 0.01)]);
                return (() => optimizer.Step(1e-5), optimizer.StateBytes);
            });
        }

        void Print(string name, int times, ScalarType dtype, Func<Parameter[], (Action Step, long Bytes)> create)
        {
            using var scope = NewDisposeScope();
            Parameter[] parameters = [.. shapes.Select(shape => new Parameter((randn(shape) * 0.02).to(dtype)))];
            foreach (Parameter parameter in parameters) parameter.grad = (randn(parameter.shape) * 1e-3).to(dtype);
            (Action step, long bytes) = create(parameters);
            Spent spent = Spent.Least(times, step);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {spent.Seconds:F4} | {spent.ProcessorSeconds:F4} | {bytes / 1e9:F3} |"));
        }
    }
}
