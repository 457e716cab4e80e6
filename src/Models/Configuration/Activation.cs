using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The non-linear function of the feed-forward layers. The comments give the names that configurations use.</summary>
public enum Activation
{
    /// <summary><c>x · sigmoid(x)</c> (<c>silu</c>, <c>swish</c>).</summary>
    Silu,

    /// <summary><c>x · Φ(x)</c> with the error function (<c>gelu</c>).</summary>
    Gelu,

    /// <summary>The tanh approximation of <see cref="Gelu"/> (<c>gelu_new</c>, <c>gelu_pytorch_tanh</c>, <c>gelu_fast</c>).</summary>
    GeluTanh,

    /// <summary><c>max(x, 0)</c> (<c>relu</c>).</summary>
    Relu,

    /// <summary><c>max(x, 0)²</c> (<c>relu2</c>).</summary>
    SquaredRelu,
}

/// <summary>The names and the equations of the activations.</summary>
internal static class ActivationFunctions
{
    private static readonly (string Name, Activation Activation)[] Names =
    [
        ("silu", Activation.Silu), ("swish", Activation.Silu),
        ("gelu", Activation.Gelu),
        ("gelu_new", Activation.GeluTanh), ("gelu_pytorch_tanh", Activation.GeluTanh), ("gelu_fast", Activation.GeluTanh),
        ("relu", Activation.Relu), ("relu2", Activation.SquaredRelu),
    ];

    /// <summary>Reads the name of an activation.</summary>
    public static Activation Parse(string name, string source)
    {
        foreach (var entry in Names)
            if (entry.Name == name) return entry.Activation;
        throw new NotSupportedException(
            $"{source}: the activation '{name}' is not known; known are {string.Join(", ", Names.Select(entry => entry.Name))}.");
    }

    /// <summary>The first name of an activation.</summary>
    public static string NameOf(Activation activation) => Names.First(entry => entry.Activation == activation).Name;

    /// <summary>The function itself.</summary>
    public static Func<Tensor, Tensor> Resolve(Activation activation) => activation switch
    {
        Activation.Silu => static x => nn.functional.silu(x),
        Activation.Gelu => static x => nn.functional.gelu(x),
        Activation.GeluTanh => static x => nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
        Activation.Relu => static x => nn.functional.relu(x),
        Activation.SquaredRelu => static x => nn.functional.relu(x).square(),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "Not an activation."),
    };
}
