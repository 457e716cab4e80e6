using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The matrices of a linear layer: two small products beside the large one, B (A dropout(x)).</summary>
internal sealed class LoraLinear(LoraTarget target, Parameter a, Parameter b, Parameter? magnitude, double dropout) : LoraLayer(target, a, b, magnitude)
{
    /// <inheritdoc/>
    private protected override int InputDimension => 1;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input, Tensor result)
    {
        Tensor x = input.to(A.dtype);
        bool drops = dropout > 0 && Target.Module.training;
        if (drops) x = nn.functional.dropout(x, dropout, training: true);
        Tensor low = nn.functional.linear(x, A) * Target.Scaling;
        if (Magnitude is null) return AddProduct(result.to(A.dtype), low);

        // m / ‖W + Δ‖ · (W x + Δ x) + b, where W x is there already unless the dropped input asks for another.
        Tensor factor = Factor();
        Tensor plain = drops ? Linear.Apply(x, Target.Module.Weight.to(A.dtype), null)
            : Target.Module.Bias is { } bias ? result - bias
            : result;
        return result + ((factor - 1) * plain) + (factor * nn.functional.linear(low, B));
    }

    /// <inheritdoc/>
    private protected override Tensor AddTo(Tensor weight) => addmm(weight, B, A * Target.Scaling, 1, 1);

    /// <inheritdoc/>
    private protected override void InitializeMatrices(LoraInitialization how, Generator generator)
    {
        // Kaiming's uniform distribution with a = √5, PyTorch's for linear layers: the bound is 1/√in.
        if (how == LoraInitialization.Gaussian) A.normal_(0, 1.0 / Target.Rank, generator);
        else Uniform(A);
        if (how == LoraInitialization.Random) Uniform(B);
        else B.zero_();

        void Uniform(Tensor matrix)
        {
            double bound = 1 / Math.Sqrt(matrix.shape[1]);
            matrix.uniform_(-bound, bound, generator);
        }
    }

    /// <summary>result + low Bᵀ, in one pass over the result.</summary>
    private Tensor AddProduct(Tensor result, Tensor low) =>
        addmm(result.reshape(-1, B.shape[0]), low.reshape(-1, B.shape[1]), B.t(), 1, 1).view(result.shape);
}
