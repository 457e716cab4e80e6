using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The matrices of an embedding: the ids' columns of A, <c>[rank, vocabulary]</c>, times B, <c>[size, rank]</c>. There is no dropout.</summary>
internal sealed class LoraEmbedding(LoraTarget target, Parameter a, Parameter b, Parameter? magnitude) : LoraLayer(target, a, b, magnitude)
{
    /// <inheritdoc/>
    private protected override int InputDimension => 0;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input, Tensor result)
    {
        // [batch, seq, rank]; looked up as the embedding does, so that a frozen id is frozen in A, too.
        Tensor low = Target.Module.Compute(input, A.t(), null) * Target.Scaling;
        Tensor change = nn.functional.linear(low, B);
        return Magnitude is null ? result + change : Factor() * (result + change);
    }

    /// <inheritdoc/>
    private protected override Tensor AddTo(Tensor weight) => addmm(weight, A.t(), B.t() * Target.Scaling, 1, 1);

    /// <inheritdoc/>
    private protected override void InitializeMatrices(LoraInitialization how, Generator generator)
    {
        if (how == LoraInitialization.Random) A.normal_(0, 1, generator);
        else A.zero_();
        B.normal_(0, 1, generator);
    }
}
