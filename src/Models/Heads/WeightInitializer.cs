using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Fresh weights: matrices from N(0, initializer_range²), biases 0, norms 1, the padding row of a frozen embedding 0.</summary>
internal static class WeightInitializer
{
    /// <summary>Initialises parameters. Equal seeds give equal weights; bfloat16 weights are the rounded single-precision ones.</summary>
    /// <param name="model">The model.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="chosen">Which parameters, by name.</param>
    public static void Initialize(nn.Module model, DecoderConfig config, long seed, Func<string, bool> chosen)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        foreach (var (path, module) in model.named_modules())
        {
            switch (module)
            {
                case Linear linear:
                    if (linear.OwnsWeight) Normal($"{path}.weight", linear.weight);
                    Constant($"{path}.bias", linear.bias, 0);
                    break;
                case TokenEmbedding embedding when Normal($"{path}.weight", embedding.Weight) && config is { FrozenPaddingRow: true, PadTokenId: { } pad }:
                    embedding.Weight.narrow(0, pad, 1).zero_();
                    break;
                case Norm norm:
                    Constant($"{path}.weight", norm.Weight, 1);
                    Constant($"{path}.bias", norm.Bias, 0);
                    break;
            }
        }

        bool Normal(string name, Tensor parameter)
        {
            if (!chosen(name)) return false;
            using Tensor values = empty(parameter.shape, ScalarType.Float32, CPU).normal_(0, config.InitializerRange, generator);
            parameter.copy_(values);
            return true;
        }

        void Constant(string name, Tensor? parameter, double value)
        {
            if (parameter is not null && chosen(name)) parameter.fill_(value);
        }
    }
}
