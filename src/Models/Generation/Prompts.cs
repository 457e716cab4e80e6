using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The prompts of a call: rows of one length, padded on the left.</summary>
internal sealed class Prompts
{
    private readonly int[][] _padded;
    private readonly int[][] _ids;
    private readonly int[] _padding;

    private Prompts(int[][] padded, int[][] ids, int[] padding) => (_padded, _ids, _padding) = (padded, ids, padding);

    /// <summary>Embeddings that come before the ids, <c>[batch, seq, hidden]</c>, or null.</summary>
    public Tensor? Embeddings { get; private init; }

    /// <summary>How many embeddings of each row are no padding.</summary>
    public int[] EmbeddingCounts { get; private init; } = [];

    /// <summary>The number of prompts.</summary>
    public int Count => _padded.Length;

    /// <summary>The number of ids of each, padding included; 0 where there are embeddings.</summary>
    public int Length => _padded[0].Length;

    /// <summary>The ids of a prompt with its padding.</summary>
    public ReadOnlySpan<int> Padded(int prompt) => _padded[prompt];

    /// <summary>The ids that the model reads.</summary>
    public int[] Ids(int prompt) => _ids[prompt];

    /// <summary>How many ids of a prompt, from the front, are padding.</summary>
    public int Padding(int prompt) => _padding[prompt];

    /// <summary>Arranges the prompts of a call.</summary>
    public static Prompts Of(GenerationInput input, DecoderConfig model, int? bosId, int padId, IReadOnlyList<int> eosIds)
    {
        if (input.InputIds is not null && input.InputsEmbeds is not null)
            throw new ArgumentException("Give either InputIds or InputsEmbeds.", nameof(input));
        if (input.InputsEmbeds is { } embeddings) return OfEmbeddings(embeddings, input.AttentionMask, model);
        if (input.InputIds is null)
        {
            if (input.AttentionMask is not null) throw new ArgumentException("There is an attention mask but no InputIds.", nameof(input));
            int[] beginning = [bosId ?? throw new ArgumentException("There is no prompt, and the model has no id that begins a text; give InputIds.", nameof(input))];
            return new Prompts([beginning], [beginning], [0]);
        }

        return Of(input.InputIds, input.AttentionMask, model.VocabularySize, padId, eosIds.Contains(padId) ? null : padId, nameof(GenerationInput.InputIds));
    }

    /// <summary>Arranges rows of ids.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="mask">Which ids are to be read, or null.</param>
    /// <param name="vocabularySize">The number of ids.</param>
    /// <param name="padId">The id that fills up shorter rows.</param>
    /// <param name="inferredPadId">The id that is left out where there is no mask and all rows are of one length, or null.</param>
    /// <param name="name">What the rows are called in messages.</param>
    public static Prompts Of(
        IReadOnlyList<IReadOnlyList<int>> rows, IReadOnlyList<IReadOnlyList<bool>>? mask, int vocabularySize, int padId, int? inferredPadId, string name)
    {
        if (rows.Count == 0) throw new ArgumentException($"{name} is empty; expected at least one prompt.", name);
        int length = rows.Max(static row => row.Count);
        bool sameLength = rows.All(row => row.Count == length);
        CheckMask(mask, rows.Count, row => rows[row].Count, name);
        int[][] padded = new int[rows.Count][], ids = new int[rows.Count][];
        var padding = new int[rows.Count];
        for (int row = 0; row < rows.Count; row++)
        {
            int[] given = [.. rows[row]];
            foreach (int id in given)
            {
                if (id < 0 || id >= vocabularySize)
                    throw new ArgumentException($"{name} holds the id {id} in row {row}; the model has ids from 0 to {vocabularySize - 1}.", name);
            }

            bool[] read = mask is not null ? [.. mask[row]]
                : sameLength && inferredPadId is { } pad && rows.Any(other => other.Contains(pad)) ? [.. given.Select(id => id != pad)]
                : [.. given.Select(static _ => true)];
            int first = Array.IndexOf(read, true), missing = length - given.Length;
            if (first < 0) throw new ArgumentException($"{name} has nothing but padding in row {row}; expected at least one token to be read.", name);
            if (!read[^1]) throw new ArgumentException($"{name} ends with padding in row {row}; prompts are padded on the left.", name);
            padded[row] = [.. Enumerable.Repeat(padId, missing), .. given];
            ids[row] = [.. given.Where((_, index) => read[index])];
            padding[row] = missing + first;
        }

        return new Prompts(padded, ids, padding);
    }

    private static Prompts OfEmbeddings(Tensor embeddings, IReadOnlyList<IReadOnlyList<bool>>? mask, DecoderConfig model)
    {
        long[] shape = embeddings.shape;
        if (shape.Length != 3 || shape[0] == 0 || shape[1] == 0 || shape[2] != model.HiddenSize)
            throw new ArgumentException($"InputsEmbeds has shape [{string.Join(", ", shape)}]; expected [batch, seq, {model.HiddenSize}].", nameof(embeddings));
        int rows = (int)shape[0], length = (int)shape[1];
        CheckMask(mask, rows, _ => length, nameof(GenerationInput.InputsEmbeds));
        int[] counts = [.. Enumerable.Range(0, rows).Select(row => mask is null ? length : mask[row].Count(static read => read))];
        if (mask?.Any(row => row.Count(static read => read) is 0 || row.Select(static read => !read).SkipWhile(static hidden => hidden).Any(static hidden => hidden)) == true)
            throw new ArgumentException("The attention mask hides embeddings behind others, or all; expected padding on the left only.", nameof(mask));
        int[][] none = [.. Enumerable.Range(0, rows).Select(static _ => Array.Empty<int>())];
        return new Prompts(none, none, new int[rows]) { Embeddings = embeddings, EmbeddingCounts = counts };
    }

    private static void CheckMask(IReadOnlyList<IReadOnlyList<bool>>? mask, int rows, Func<int, int> lengthOf, string name)
    {
        if (mask is null) return;
        if (mask.Count != rows) throw new ArgumentException($"The attention mask has {mask.Count} rows, {name} has {rows}.", name);
        for (int row = 0; row < rows; row++)
        {
            if (mask[row].Count != lengthOf(row))
                throw new ArgumentException($"The attention mask has {mask[row].Count} columns in row {row}, {name} has {lengthOf(row)}.", name);
        }
    }
}
