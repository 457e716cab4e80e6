using MLComponents.Tokenization;

namespace MLComponents.Models;

/// <summary>
/// The tiny decoder that comes with the library: Qwen2 layout, 2 M parameters in bfloat16, made by examples/Pretraining from this
/// project's own texts and public-domain ones. Good for trying things out on a CPU and for tests; not for prose.
/// </summary>
public static class TinyDecoder
{
    private const string ResourcePrefix = "MLComponents.Models.TinyDecoder.";
    private static readonly string[] s_tokenizerFiles = ["tokenizer.json", "tokenizer_config.json"];

    /// <summary>Reads its tokenizer.</summary>
    public static PretrainedTokenizer LoadTokenizer() => PretrainedTokenizer.Load(s_tokenizerFiles.ToDictionary(name => name, Read));

    /// <summary>Writes it as a Hugging Face folder.</summary>
    /// <param name="folder">Where to; created if it does not exist.</param>
    public static void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (string name in (string[])[.. s_tokenizerFiles, ModelFolder.ConfigName, ModelFolder.WeightsName])
            File.WriteAllBytes(Path.Combine(folder, name), Read(name));
    }

    /// <summary>Reads it under a head; see <see cref="ModelFolder"/>.</summary>
    internal static T Load<T>(Func<DecoderConfig, DecoderConfig> adapt, Func<DecoderConfig, WeightPlacement, T> create, WeightPlacement storage)
        where T : PretrainedModel
    {
        using Stream weights = Open(ModelFolder.WeightsName);
        return ModelFolder.Load(Read(ModelFolder.ConfigName), weights, adapt, create, storage);
    }

    private static byte[] Read(string name)
    {
        using Stream stream = Open(name);
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    private static Stream Open(string name) => typeof(TinyDecoder).Assembly.GetManifestResourceStream(ResourcePrefix + name)
        ?? throw new InvalidOperationException($"This build of MLComponents.Models has no resource '{name}': it was built without src/Models/Embedded/{name}.");
}
