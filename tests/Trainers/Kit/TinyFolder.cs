using MLComponents.Models;

namespace MLComponents.Trainers.Tests;

/// <summary>A tiny model as a folder, in a temporary place, for a class of tests.</summary>
public sealed class TinyFolder : IDisposable
{
    public TinyFolder()
    {
        using SequenceClassificationModel model = TinyModel.Model(3);
        Write(Path, model);
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("mlcomponents-model-").FullName;

    /// <summary>Options of a run that takes a second at most.</summary>
    internal SequenceClassificationOptions Options(Action<SequenceClassificationOptions>? change = null)
    {
        var options = new SequenceClassificationOptions { Model = Path, Precision = Precision.Float32, LearningRate = 5e-3, BatchSize = 16, Epochs = 2 };
        change?.Invoke(options);
        return options;
    }

    /// <summary>A copy to damage; the caller deletes it.</summary>
    internal string Copy()
    {
        string copy = Directory.CreateTempSubdirectory("mlcomponents-model-").FullName;
        foreach (string file in Directory.EnumerateFiles(Path)) File.Copy(file, System.IO.Path.Combine(copy, System.IO.Path.GetFileName(file)));
        return copy;
    }

    internal static void Write(string folder, SequenceClassificationModel model)
    {
        model.Save(folder);
        TinyModel.Tokenizer().Save(folder);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
