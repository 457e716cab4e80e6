using System.Text.Json;
using System.Text.Json.Serialization;
using MLComponents.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>All that a run needs to go on as if it had never stopped, as tensors of one file.</summary>
/// <param name="model">Its trained weights.</param>
/// <param name="optimizer">The states of its optimizer.</param>
/// <param name="average">The moving average of its weights, or null.</param>
/// <param name="best">Its best weights.</param>
/// <param name="history">What it has reported so far, or null.</param>
/// <param name="description">What it is; see <see cref="RunDescription"/>.</param>
internal sealed class RunCheckpoint(
    PretrainedModel model, Optimizer optimizer, WeightAverage? average, WeightSnapshot best, TrainingHistory? history, IReadOnlyDictionary<string, string> description)
{
    private const string Weights = "weights.", Best = "best.", States = "optimizer.", Average = "average.", Generator = "generator", Header = "run";

    private static readonly JsonSerializerOptions s_json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private IEnumerable<KeyValuePair<string, Tensor>> Averages =>
        average is null ? [] : average.Averages.Select((tensor, place) => new KeyValuePair<string, Tensor>($"{Average}{place}", tensor));

    private IEnumerable<KeyValuePair<string, Tensor>> Trained =>
        model.named_parameters().Where(item => item.parameter.requires_grad).Select(item => new KeyValuePair<string, Tensor>(Weights + item.name, item.parameter));

    /// <summary>Writes a checkpoint.</summary>
    /// <exception cref="IOException">It cannot be written; the earlier ones stay.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void Write(CheckpointFolder folder, RunState state)
    {
        using DisposeScope scope = NewDisposeScope();
        byte[] header = JsonSerializer.SerializeToUtf8Bytes(new Content(state, optimizer.StepCount, description, history?.All ?? []), s_json);
        folder.Write(state.Step,
        [
            .. Trained, .. Averages, .. best.Copies.Select(pair => new KeyValuePair<string, Tensor>(Best + pair.Key, pair.Value)),
            .. optimizer.State.Select(pair => new KeyValuePair<string, Tensor>(States + pair.Key, pair.Value)),
            new(Generator, get_rng_state()), new(Header, tensor(header)),
        ]);
    }

    /// <summary>Takes up where a checkpoint was written.</summary>
    /// <returns>Where the run stands.</returns>
    /// <exception cref="FormatException">The file is damaged.</exception>
    /// <exception cref="InvalidOperationException">It is a checkpoint of another run.</exception>
    public RunState Read(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Content content = ReadHeader(path, file);
        foreach ((string name, string value) in description)
        {
            if (content.Description.GetValueOrDefault(name) != value)
                throw new InvalidOperationException(
                    $"{path} is a checkpoint of another run: {name} differs ('{content.Description.GetValueOrDefault(name)}' there, '{value}' here). "
                    + $"Set it back to continue that run, or choose another {nameof(FineTuningOptions.CheckpointFolder)}.");
        }

        foreach ((string name, Tensor own) in Trained.Concat(Averages)) file.ReadInto(name, own);
        optimizer.Restore(content.OptimizerSteps, Under(file, States));
        best.Set(Under(file, Best));
        history?.Set(content.History);
        using Tensor generator = file.Read(Generator);
        set_rng_state(generator);
        return content.State;
    }

    private static Content ReadHeader(string path, SafetensorsFile file)
    {
        try
        {
            using Tensor header = file.Read(Header);
            return JsonSerializer.Deserialize<Content>(header.data<byte>().ToArray(), s_json) ?? throw new JsonException("nothing");
        }
        catch (Exception error) when (error is KeyNotFoundException or JsonException)
        {
            throw new FormatException($"{path} is no checkpoint of this library: {error.Message}", error);
        }
    }

    private static Dictionary<string, Tensor> Under(SafetensorsFile file, string prefix) =>
        file.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(name => name[prefix.Length..], file.Read);

    private sealed record Content(RunState State, long OptimizerSteps, IReadOnlyDictionary<string, string> Description, IReadOnlyList<TrainingProgress> History);
}
