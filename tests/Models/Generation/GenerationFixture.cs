using System.Text.Json;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>A case of a <c>generate.json</c>.</summary>
internal sealed class GenerationFixture : IDisposable
{
    private readonly string _folder;
    private readonly JsonDocument _json;
    private readonly SafetensorsFile _tensors;

    public GenerationFixture(string folder, string name)
    {
        _folder = folder;
        _json = JsonDocument.Parse(File.ReadAllBytes(ParityFolder.PathOf(folder, "generate.json")));
        _tensors = SafetensorsFile.Open(ParityFolder.PathOf(folder, "generate.safetensors"));
        Case = _json.RootElement.GetProperty("cases").EnumerateArray().First(item => item.GetProperty("name").GetString() == name);
    }

    public JsonElement Case { get; }

    /// <summary>What the call asks for.</summary>
    public GenerationConfig Config
    {
        get
        {
            GenerationConfig config = GenerationConfig.Parse(JsonSerializer.SerializeToUtf8Bytes(Case.GetProperty("kwargs")));
            Assert.Empty(config.OtherKeys);
            if (Case.TryGetProperty("assistant_settings", out JsonElement settings)) config = GenerationConfig.Parse(JsonSerializer.SerializeToUtf8Bytes(settings)).Over(config);
            return config with { OutputScores = Case.GetProperty("outputs").TryGetProperty("scores", out _) };
        }
    }

    /// <summary>What it starts from.</summary>
    public GenerationInput Input
    {
        get
        {
            var input = new GenerationInput();
            foreach (JsonProperty argument in Case.GetProperty("inputs").EnumerateObject())
            {
                Tensor tensor = _tensors.Read(argument.Value.GetString()!);
                input = argument.Name switch
                {
                    "input_ids" => input with { InputIds = Rows(tensor) },
                    "attention_mask" => input with { AttentionMask = Mask(tensor) },
                    "inputs_embeds" => input with { InputsEmbeds = tensor },
                    "negative_prompt_ids" => input with { NegativePromptIds = Rows(tensor) },
                    "negative_prompt_attention_mask" => input with { NegativePromptAttentionMask = Mask(tensor) },
                    var other => throw new InvalidDataException($"{_folder}: the case names an argument {other} that is not known."),
                };
            }

            return input;
        }
    }

    public string? AssistantFolder => Case.TryGetProperty("assistant_model_folder", out JsonElement folder) ? ParityFolder.PathOf(_folder, folder.GetString()!) : null;

    /// <summary>The names of all cases of a folder.</summary>
    public static IEnumerable<string> Names(string folder)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(ParityFolder.PathOf(folder, "generate.json")));
        return [.. json.RootElement.GetProperty("cases").EnumerateArray().Where(item => item.TryGetProperty("outputs", out _)).Select(item => item.GetProperty("name").GetString()!)];
    }

    public Tensor? Expected(string output) =>
        Case.GetProperty("outputs").TryGetProperty(output, out JsonElement name) ? _tensors.Read(name.GetString()!) : null;

    public CausalLanguageModel LoadModel() => CausalLanguageModel.Load(ParityFolder.PathOf(_folder));

    /// <summary>The texts as the reference gives them: rows of one length, padded on the right.</summary>
    public int[][] Padded(GenerationOutput output, GenerationConfig all)
    {
        int longest = output.Sequences.Max(sequence => sequence.NewIds.Count);
        int fill = (all.NumBeams ?? 1) > 1 ? BeamFill(all) : all.PadTokenId ?? all.EosTokenIds![0];
        int[][]? prompts = Input.InputIds is { } ids ? [.. ids.Select(row => row.ToArray())] : null;
        return [.. output.Sequences.Select(sequence => (int[])
            [.. prompts?[sequence.PromptIndex] ?? [], .. sequence.NewIds, .. Enumerable.Repeat(fill, longest - sequence.NewIds.Count)])];
    }

    public void Dispose()
    {
        _json.Dispose();
        _tensors.Dispose();
    }

    public static int[][] Rows(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        int[] all = tensor.to(ScalarType.Int32).flatten().data<int>().ToArray();
        return [.. all.Chunk((int)tensor.shape[1])];
    }

    private static bool[][] Mask(Tensor tensor) => [.. Rows(tensor).Select(row => row.Select(value => value != 0).ToArray())];

    // The reference takes a padding id of 0 for none.
    private static int BeamFill(GenerationConfig all) =>
        all.EosTokenIds is not { Count: > 0 } eos ? -1 : all.PadTokenId is > 0 and { } pad ? pad : eos[0];
}
