using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLComponents.Models;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>
/// What the engine needs to know of a job: how long a row is, what it counts, what the loss of rows is, and how good the model is on
/// others. Everything else (batches, gradients, schedule, validation, checkpoints) is the engine's.
/// </summary>
/// <typeparam name="TRow">A row as the model reads it, with what it is to answer.</typeparam>
/// <remarks>
/// The loss of a batch is Σ loss(row) / Σ weight(row) over all of its rows, so that a batch that is too large for memory may be computed in
/// parts whose losses, and gradients, add up to those of the whole.
/// </remarks>
internal abstract class TrainingTask<TRow> : IDisposable
{
    /// <summary>The model that is trained, on its device and in its precision. Not the task's own: the transformer takes it over.</summary>
    public abstract PretrainedModel Model { get; }

    /// <summary>Makes of texts what the model reads; null of a task that reads its rows in another way, for which frozen layers are then run each time.</summary>
    public virtual TextBatches? Texts => null;

    /// <summary>The token ids of a row, at least one.</summary>
    public abstract int[] IdsOf(TRow row);

    /// <summary>Tokens of a row, at least 1.</summary>
    public int LengthOf(TRow row) => IdsOf(row).Length;

    /// <summary>What a row counts in the mean over its batch, at least 0: 1 for a text, the number of labelled tokens for a text of labelled tokens, a class weight.</summary>
    public virtual double WeightOf(TRow row) => 1;

    /// <summary>The share that some rows have of the loss of their batch.</summary>
    /// <param name="rows">At least one.</param>
    /// <param name="totalWeight">The weight of the whole batch, above 0: what the sum over these rows is divided by.</param>
    /// <returns>A float32 scalar with gradients, in nats; disposed by the engine.</returns>
    public abstract Tensor Loss(IReadOnlyList<TRow> rows, double totalWeight);

    /// <summary>Measures the model, which is in evaluation mode.</summary>
    /// <param name="rows">The validation rows, in the order of the data.</param>
    /// <param name="checkAlive">Throws when the run has been cancelled; called at least once per forward pass.</param>
    /// <returns>The value of every metric that <see cref="FineTuningOptions.Metrics"/> names.</returns>
    public abstract IReadOnlyDictionary<string, double> Validate(IEnumerable<TRow> rows, Action checkAlive);

    /// <summary>Adds what tells a row from others to a hash, by which a checkpoint knows its data; unless a task knows better, its length and weight.</summary>
    public virtual void Identify(TRow row, IncrementalHash hash) =>
        hash.AppendData(MemoryMarshal.AsBytes<double>([LengthOf(row), WeightOf(row)]));

    /// <summary>Frees what the task holds beside the model.</summary>
    public virtual void Dispose()
    {
    }
}
