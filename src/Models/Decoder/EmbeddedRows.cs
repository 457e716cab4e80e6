using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Rows of a matrix by their numbers, whose gradient goes to a <see cref="RowGradient"/> instead of the matrix.</summary>
internal sealed class EmbeddedRows : GradientFunction<EmbeddedRows>
{
    private const string RunKey = "run";

    /// <summary><c>[rows, width], [ids] -> [ids, width]</c>.</summary>
    /// <param name="weight">The matrix.</param>
    /// <param name="ids">Which rows, Int64 in CPU memory.</param>
    /// <param name="gradient">Takes the gradient.</param>
    public static Tensor Apply(Tensor weight, Tensor ids, RowGradient gradient) => Record([new Run(ids.data<long>().ToArray(), gradient), weight, ids]);

    /// <inheritdoc/>
    protected override Tensor Compute(autograd.AutogradContext context, object[] arguments)
    {
        context.save_data(RunKey, arguments[0]);
        return ((Tensor)arguments[1]).index_select(0, (Tensor)arguments[2]);
    }

    /// <inheritdoc/>
    protected override List<Tensor> Differentiate(autograd.AutogradContext context, Tensor gradient)
    {
        var run = (Run)context.get_data(RunKey);
        run.Gradient.Add(run.Ids, gradient);
        Tensor none = null!;
        return [none, none, none];
    }

    private sealed record Run(long[] Ids, RowGradient Gradient);
}
