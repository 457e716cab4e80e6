using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class ResidualStreamTests
{
    [Fact]
    public void In_training_what_layers_add_to_is_not_rounded_to_bfloat16()
    {
        using var scope = NewDisposeScope();
        DecoderConfig config = ModelSamples.Config() with { LayerCount = 16 };
        using var model = new CausalLanguageModel(config, seed: 3, dtype: ScalarType.BFloat16);
        using var exact = new CausalLanguageModel(config, seed: 3);
        using (no_grad())
        {
            // Layers that add little: of those a rounded sum loses the most.
            foreach ((string name, var parameter) in model.named_parameters())
                if (name.EndsWith("o_proj.weight", StringComparison.Ordinal) || name.EndsWith("down_proj.weight", StringComparison.Ordinal)) parameter.mul_(1.0 / 32);
            foreach ((var one, var other) in exact.parameters().Zip(model.parameters())) one.copy_(other);
        }

        Tensor ids = randint(0, 60, [24, 40], ScalarType.Int64, generator: new Generator(5));
        Tensor expected = Hidden(exact).detach();
        model.train();
        double trained = Error(Hidden(model));
        model.eval();
        Assert.InRange(trained, 0, 0.8 * Error(Hidden(model)));

        Tensor Hidden(CausalLanguageModel of) => of.Forward(new DecoderInput { InputIds = ids }, logitsToKeep: 1).Decoder.LastHiddenState;

        double Error(Tensor hidden) => (hidden.detach().to(ScalarType.Float32) - expected).square().mean().sqrt().item<float>();
    }
}
