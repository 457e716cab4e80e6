using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class GradientFunctionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nothing_but_results_and_gradients_is_left_in_the_scope_around(bool isOnce)
    {
        using var outer = NewDisposeScope();
        Tensor input = randn(6, 8).bfloat16().requires_grad_(), weight = randn(8, 8).bfloat16().requires_grad_(), norm = ones(8).bfloat16().requires_grad_();
        using var scope = NewDisposeScope();
        using DifferentiatedOnce? promise = isOnce ? DifferentiatedOnce.Promise() : null;
        Tensor product = RoundedLinear.Apply(input, weight, null), normed = FusedRootMeanSquare.Apply(product, norm, 1e-6), gated = FusedSiluGate.Apply(normed, product);
        Tensor loss = gated.sum();
        Assert.Equal(4, scope.DisposablesCount);
        loss.backward();
        Assert.Equal(4, scope.DisposablesCount);
        Assert.All([input, weight, norm], leaf => Assert.False(leaf.grad is null));
    }

    [Fact]
    public void What_gradients_need_is_given_up_on_the_way_back_only_where_that_is_promised()
    {
        using var scope = NewDisposeScope();
        Tensor input = randn(3).requires_grad_();
        Tensor result = Square.Apply(input).sum();
        result.backward(retain_graph: true);
        result.backward();
        Assert.True(input.grad!.allclose(4 * input));
        Assert.Single(Square.Context!.get_saved_variables());

        using (DifferentiatedOnce.Promise()) result = Square.Apply(input).sum();
        Assert.False(DifferentiatedOnce.IsPromised);
        result.backward();
        Assert.True(input.grad!.allclose(6 * input));
        Assert.ThrowsAny<ArgumentException>(() => Square.Context!.get_saved_variables());
    }

    [Fact]
    public void A_result_without_a_gradient_gives_none_to_its_arguments()
    {
        using var scope = NewDisposeScope();
        Tensor input = randn(4, 3).bfloat16().requires_grad_(), weight = randn(3, 3).bfloat16().requires_grad_();
        using var rows = new TorchSharp.Modules.Parameter(zeros(4, 3).bfloat16());
        var gradient = new RowGradient(rows);
        Tensor product = RoundedLinear.Apply(input, weight, null);
        EmbeddedRows.Apply(product, tensor(new long[] { 2, 0 }), gradient).sum().backward(); // its gradient goes to the rows, and none to the product
        Assert.Equal([0L, 2L], gradient.Rows.Order());
        Assert.True(weight.grad is null);
        Assert.True(input.grad is null);
    }

    /// <summary>x², which shows what it keeps.</summary>
    private sealed class Square : GradientFunction<Square>
    {
        public static autograd.AutogradContext? Context { get; private set; }

        public static Tensor Apply(Tensor input) => Record(input);

        protected override Tensor Compute(autograd.AutogradContext context, object[] arguments)
        {
            var input = (Tensor)arguments[0];
            context.save_for_backward([input]);
            return input * input;
        }

        protected override List<Tensor> Differentiate(autograd.AutogradContext context, Tensor gradient)
        {
            Context = context;
            return [2 * context.get_saved_variables()[0] * gradient];
        }
    }
}
