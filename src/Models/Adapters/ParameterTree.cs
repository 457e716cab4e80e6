using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Modules that do nothing but give parameters their names, such as <c>lora_A.default.weight</c> below the module that is adapted.</summary>
internal sealed class ParameterTree() : DecoderModule(nameof(ParameterTree))
{
    /// <summary>The first parts of the names that adapters give to parameters.</summary>
    public static IReadOnlyList<string> Roots { get; } = ["lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B", "lora_magnitude_vector", "modules_to_save"];

    /// <summary>Whether a parameter of a model belongs to an adapter.</summary>
    /// <param name="name">Its name in the model.</param>
    public static bool IsInTree(string name) => name.Split('.').Any(Roots.Contains);

    /// <summary>Puts a parameter into a model.</summary>
    /// <param name="root">The module below which it goes.</param>
    /// <param name="path">Its name from there on; at least two parts.</param>
    /// <param name="parameter">The parameter.</param>
    public static void Attach(nn.Module root, string path, Parameter parameter)
    {
        int dot = path.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0)
        {
            root.register_parameter(path, parameter);
            return;
        }

        string first = path[..dot];
        if (Find(root, first) is not { } child)
        {
            child = new ParameterTree();
            child.train(root.training);
            root.register_module(first, child);
        }

        Attach(child, path[(dot + 1)..], parameter);
    }

    /// <summary>Takes a parameter out of a model, with the modules that held it and nothing else. The parameter lives on.</summary>
    /// <param name="root">The module below which it is.</param>
    /// <param name="path">Its name from there on.</param>
    public static void Detach(nn.Module root, string path)
    {
        int dot = path.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0)
        {
            ((ParameterTree)root).Forget(path);
            return;
        }

        string first = path[..dot];
        nn.Module child = Find(root, first) ?? throw new InvalidOperationException($"There is no module '{first}' to take '{path}' out of.");
        Detach(child, path[(dot + 1)..]);
        if (child.named_children().Any() || child.named_parameters(recurse: false).Any()) return;
        root.register_module(first, null!);
        child.Dispose();
    }

    private static nn.Module? Find(nn.Module parent, string name) => parent.named_children().FirstOrDefault(pair => pair.name == name).module;

    private void Forget(string name) => ConditionallyRegisterParameter(name, (Parameter?)null);
}
