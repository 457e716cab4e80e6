using Microsoft.ML.Runtime;
using MLComponents.Models;
using MLComponents.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>Loads a folder whose head has been trained.</summary>
internal static class FineTunedFolder
{
    /// <summary>Loads model and tokenizer, and makes a scorer of them.</summary>
    /// <param name="env">The environment, for its device and its log.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="device">The device asked for, or null.</param>
    /// <param name="head">What the head is called in messages, as in "classification head".</param>
    /// <param name="load">Loads the model with an element type (the stored one if null) on a device.</param>
    /// <param name="wrap">Makes the scorer, which owns the model from then on.</param>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is broken, or the weights have no such head.</exception>
    public static TScorer Load<TModel, TScorer>(IHostEnvironment env, string folder, string? device, string head,
        Func<ScalarType?, Device, TModel> load, Func<TModel, PretrainedTokenizer, TScorer> wrap)
        where TModel : PretrainedModel
    {
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(folder);
        Device chosen = ScoringDevice.Choose(env, device);
        // A CPU has no fast path for float16; float32 holds every float16 number exactly.
        bool widens = chosen.type == DeviceType.CPU && DecoderConfig.Load(folder).DType == ScalarType.Float16;
        TModel model = load(widens ? ScalarType.Float32 : null, chosen);
        try
        {
            if (model.Report?.Fresh is { Count: > 0 } fresh)
                throw new FormatException($"The weights in {folder} have no {head} ({string.Join(", ", fresh)}): fine-tune it with a trainer first.");
            using (IChannel channel = env.Start(nameof(FineTunedFolder))) CheckpointWarnings.Tell(channel, model, folder);
            return wrap(model, tokenizer);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
