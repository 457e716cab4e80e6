using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A model's weights, divided into files as the reference library divides them.</summary>
/// <param name="Files">The files by name, in order, each with its tensors.</param>
/// <param name="DType">The element type in the files.</param>
internal sealed record WeightShards(IReadOnlyList<KeyValuePair<string, IReadOnlyList<KeyValuePair<string, Tensor>>>> Files, ScalarType DType)
{
    /// <summary>Divides weights.</summary>
    /// <param name="model">The model; tied weights come once.</param>
    /// <param name="stored">The element type in the files.</param>
    /// <param name="maxShardBytes">The most bytes of weights in a file; a larger tensor has a file of its own.</param>
    public static WeightShards Of(PretrainedModel model, ScalarType stored, long maxShardBytes)
    {
        List<List<KeyValuePair<string, Tensor>>> shards = [];
        List<KeyValuePair<string, Tensor>> current = [];
        long bytes = 0;
        foreach (var (name, parameter) in model.BaseParameters())
        {
            long size = parameter.NumberOfElements * SafetensorsType.SizeOf(stored);
            if (size > maxShardBytes)
            {
                shards.Add([new(name, parameter)]);
                continue;
            }

            if (bytes + size > maxShardBytes)
            {
                shards.Add(current);
                current = [];
                bytes = 0;
            }

            current.Add(new(name, parameter));
            bytes += size;
        }

        if (current.Count > 0) shards.Add(current);
        return new WeightShards(
            [.. shards.Select((tensors, number) => new KeyValuePair<string, IReadOnlyList<KeyValuePair<string, Tensor>>>(NameOf(number + 1, shards.Count), tensors))], stored);
    }

    /// <summary>The content of the index of several files.</summary>
    public byte[] Index() => JsonFile.Write(json =>
    {
        long parameters = Files.Sum(file => file.Value.Sum(tensor => tensor.Value.NumberOfElements));
        json.WriteStartObject("metadata");
        json.WriteNumber("total_parameters", parameters);
        json.WriteNumber("total_size", parameters * SafetensorsType.SizeOf(DType));
        json.WriteEndObject();
        json.WriteStartObject("weight_map");
        foreach (var (name, file) in Files.SelectMany(file => file.Value.Select(tensor => (tensor.Key, file.Key))).OrderBy(pair => pair.Item1, StringComparer.Ordinal))
            json.WriteString(name, file);
        json.WriteEndObject();
    });

    private static string NameOf(int number, int count) => count == 1 ? ModelFolder.WeightsName : $"model-{number:D5}-of-{count:D5}.safetensors";
}
