using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using MLComponents.Models;

namespace MLComponents.Trainers;

/// <summary>What decides the bits that a run ends with: its options, its frozen weights, its rows. A checkpoint goes on only where all of it is the same.</summary>
internal static class RunDescription
{
    /// <summary>Options that change nothing, or that are described otherwise.</summary>
    private static readonly string[] s_withoutEffect =
    [
        nameof(FineTuningOptions.Model), nameof(FineTuningOptions.ModelStorage), nameof(FineTuningOptions.Adapter), nameof(FineTuningOptions.ValidationSet), nameof(FineTuningOptions.Progress),
        nameof(FineTuningOptions.History), nameof(FineTuningOptions.CancellationToken), nameof(FineTuningOptions.CheckpointFolder),
        nameof(FineTuningOptions.CheckpointSteps), nameof(FineTuningOptions.CheckpointsKept), nameof(FineTuningOptions.PrefixCacheFolder),
    ];

    /// <summary>Describes a run by name and value.</summary>
    public static IReadOnlyDictionary<string, string> Of<TRow>(TrainingTask<TRow> task, TrainingData<TRow> data, FineTuningOptions options, Action checkAlive)
    {
        var description = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (PropertyInfo property in options.GetType().GetProperties())
        {
            if (!s_withoutEffect.Contains(property.Name) && !property.Name.EndsWith("ColumnName", StringComparison.Ordinal))
                description[property.Name] = Text(property.GetValue(options));
        }

        description[nameof(options.PrefixCacheFolder)] = options.PrefixCacheFolder is null ? "none" : "some"; // which one does not matter
        foreach (LoraAdapter adapter in task.Model.Adapters) description[nameof(options.Adapter)] = Encoding.UTF8.GetString(adapter.ToJson());
        (string name, TorchSharp.Modules.Parameter parameter)[] all = [.. task.Model.named_parameters()];
        description["the frozen weights"] = TensorFingerprint.Of(all.Where(item => !item.parameter.requires_grad).Select(item => (item.name, (TorchSharp.torch.Tensor)item.parameter)));
        description["the training rows"] = Rows(data.Training, task, checkAlive);
        description["the validation rows"] = data.Validation is null ? "" : Rows(data.Validation, task, checkAlive);
        return description;
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        string text => text,
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable items => string.Join("; ", items.Cast<object?>().Select(item => $"{item}").Order(StringComparer.Ordinal)),
        _ => value.ToString() ?? "",
    };

    private static string Rows<TRow>(EncodedRows<TRow> rows, TrainingTask<TRow> task, Action checkAlive)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long count = 0;
        foreach (TRow row in rows.Read(checkAlive))
        {
            count++;
            task.Identify(row, hash);
        }

        return $"{count}, {Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }
}
