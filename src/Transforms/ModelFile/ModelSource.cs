using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>A transformer's part of a model file, to be read.</summary>
/// <param name="Environment">Where the transformer is to live.</param>
/// <param name="Version">The version that it was written in, 0xMMMMmmmm (major, minor).</param>
/// <param name="LoadEntry">Reads an entry: its name, and what reads its content.</param>
internal sealed record ModelSource(IHostEnvironment Environment, uint Version, Action<string, Action<Stream>> LoadEntry)
{
    /// <summary>The entry of a transformer's settings.</summary>
    public const string SettingsEntry = "Settings.bin";

    /// <summary>The device that the environment asks for.</summary>
    public Device Device => ScoringDevice.Choose(Environment, requested: null);

    /// <summary>Reads settings.</summary>
    /// <param name="read">Reads them.</param>
    /// <param name="entry">Their entry.</param>
    /// <exception cref="FormatException">The entry is missing or damaged.</exception>
    public T ReadSettings<T>(Func<BinaryReader, T> read, string entry = SettingsEntry)
    {
        T value = default!;
        LoadEntry(entry, stream =>
        {
            using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
            try
            {
                value = read(reader);
            }
            catch (Exception error) when (error is EndOfStreamException or ArgumentException)
            {
                throw new FormatException($"The model file's settings are damaged: {error.Message}", error);
            }
        });
        return value;
    }

    /// <summary>Makes the transformer of a scorer, or frees it.</summary>
    /// <param name="scorer">The model.</param>
    /// <param name="wrap">Makes the transformer, which owns the scorer from then on.</param>
    /// <exception cref="FormatException">The model and the settings do not belong together.</exception>
    public static TTransformer Wrap<TScorer, TTransformer>(TScorer scorer, Func<TScorer, TTransformer> wrap)
        where TScorer : IModelScorer
    {
        try
        {
            return wrap(scorer);
        }
        catch (ArgumentException error)
        {
            scorer.Dispose();
            throw new FormatException($"The model file is damaged: {error.Message}", error);
        }
    }
}
