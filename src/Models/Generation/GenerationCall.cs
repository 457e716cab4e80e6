using System.Diagnostics;

namespace MLComponents.Models;

/// <summary>One call: what it comes down to, and what its strategies have in common.</summary>
internal sealed class GenerationCall
{
    private readonly long _started = Stopwatch.GetTimestamp();

    public GenerationCall(CausalLanguageModel model, GenerationInput input, GenerationConfig? config, CancellationToken cancellation)
    {
        GenerationConfig all = config?.Over(model.GenerationDefaults) ?? model.GenerationDefaults;
        if (all.TokenHealing == true) input = TokenHealing.Heal(model, input);
        (Model, Input, Cancellation) = (model, input, cancellation);
        int pad = all.PadTokenId ?? all.EosTokenIds?.FirstOrDefault() ?? 0;
        Prompts = Prompts.Of(input, model.Config, all.BosTokenId, pad, all.EosTokenIds ?? []);
        Settings = GenerationSettings.Of(all, input, Prompts, model.Config);
        Processors = ProcessorList.Of(Settings, input, Prompts, model.Config);
    }

    public CausalLanguageModel Model { get; }

    public GenerationInput Input { get; }

    public CancellationToken Cancellation { get; }

    public Prompts Prompts { get; }

    public GenerationSettings Settings { get; }

    public LogitsProcessor[] Processors { get; }

    /// <summary>Takes each new token, with its log probability and the reason for which it is the last one.</summary>
    public Action<int, float, FinishReason?>? Observer { get; set; }

    /// <summary>The index of the first prompt, where the call is one of many.</summary>
    public int FirstPromptIndex { get; init; }

    public int VocabularySize => Model.Config.VocabularySize;

    /// <summary>Whether rows that have ended must be computed on: their scores are wanted, or other rows depend on how long they are.</summary>
    public bool KeepsEndedRows => Settings.OutputScores || Settings.OutputLogits || Model.Config.Rope.DependsOnLength;

    /// <summary>Whether time is up; throws where the call was cancelled.</summary>
    public bool IsOutOfTime()
    {
        Cancellation.ThrowIfCancellationRequested();
        return Stopwatch.GetElapsedTime(_started) > (Settings.Config.MaxTime ?? TimeSpan.MaxValue);
    }

    public LogitsContext ContextOf(int prompt, ReadOnlySpan<int> ids, ReadOnlySpan<int> earlierGroupIds = default) => new()
    {
        Ids = ids,
        PromptLength = Prompts.Length,
        PaddingLength = Prompts.Padding(prompt),
        PromptIndex = FirstPromptIndex + prompt,
        EarlierGroupIds = earlierGroupIds,
    };

    /// <summary>Changes scores as all processors do, one after the other.</summary>
    public void Process(LogitsContext context, Span<float> scores)
    {
        foreach (LogitsProcessor processor in Processors) processor.Process(context, scores);
    }

    /// <summary>Why a row ends with its last token, stop strings apart; null if it goes on.</summary>
    public FinishReason? EndOf(int prompt, ReadOnlySpan<int> ids)
    {
        if (Settings.EosIds.Contains(ids[^1])) return FinishReason.EndOfText;
        if (Input.Constraint?.Ends(ids[Prompts.Length..], Settings.EosIds) == true) return FinishReason.Complete;
        foreach (StoppingCriterion criterion in Input.StoppingCriteria)
            if (criterion(FirstPromptIndex + prompt, ids)) return FinishReason.Criterion;
        return ids.Length >= Settings.MaxLength ? FinishReason.Length : null;
    }

    /// <summary>A batch of one row for the only prompt, and what it has not read of that.</summary>
    public (IDecodingBatch Batch, int[] Unread) Begin() =>
        Input.Cache is { } cache ? BeginFrom(cache, 0) : (NewBatch(1, Input.ReturnCache), Prompts.Ids(0));

    /// <summary>Lets the model read the prompts.</summary>
    /// <param name="canForget">Whether tokens will be taken back.</param>
    /// <param name="logits">Takes the logits of the first new tokens, <c>[prompts, vocabulary]</c>.</param>
    public IDecodingBatch Prefill(bool canForget, Span<float> logits)
    {
        if (Input.Cache is { } cache) return PrefillFrom(cache, logits);
        IDecodingBatch batch = NewBatch(Prompts.Count, canForget || Input.ReturnCache);
        try
        {
            if (Prompts.Embeddings is { } embeddings) ((TorchDecodingBatch)batch).ReadEmbeddings(embeddings, Prompts.EmbeddingCounts, logits);
            else ReadInChunks(batch, [.. Enumerable.Range(0, Prompts.Count).Select(Prompts.Ids)], logits);
            return batch;
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    /// <summary>Lets all rows of a batch read, the last tokens in chunks of the size that was asked for; what longer rows have before those comes first.</summary>
    public void ReadInChunks(IDecodingBatch batch, int[][] tokens, Span<float> logits)
    {
        int size = Settings.Config.PrefillChunkSize ?? int.MaxValue, chunks = (tokens.Min(static row => row.Length) - 1) / size;
        if (chunks == 0)
        {
            Read(batch, tokens, logits);
            return;
        }

        int[][] first = [.. tokens.Select(row => row[..^(chunks * size)])];
        batch.Read([.. first.SelectMany(static row => row)], [.. first.Select(static row => row.Length)], 0, []);
        for (int left = chunks; left > 0; left--)
        {
            Cancellation.ThrowIfCancellationRequested();
            int[][] chunk = [.. tokens.Select(row => row[^(left * size)..^((left - 1) * size)])];
            batch.Read([.. chunk.SelectMany(static row => row)], [.. chunk.Select(_ => size)], left == 1 ? 1 : 0, left == 1 ? logits : []);
        }
    }

    /// <summary>Lets all rows of a batch read, and gives the logits of their last tokens.</summary>
    public static void Read(IDecodingBatch batch, int[][] tokens, Span<float> logits) =>
        batch.Read([.. tokens.SelectMany(static row => row)], [.. tokens.Select(static row => row.Length)], 1, logits);

    public IDecodingBatch NewBatch(int rows, bool canForget)
    {
        bool caches = Settings.Config.UseCache ?? true;
        return caches && Prompts.Embeddings is null ? Model.Decoding.NewBatch(rows, canForget) : new TorchDecodingBatch(Model, rows, canForget, recomputes: !caches);
    }

    /// <summary>What the prompts share with texts that were read before is not read again, but for the last token, whose logits are wanted.</summary>
    private IDecodingBatch PrefillFrom(PromptCache cache, Span<float> logits)
    {
        IDecodingBatch all = Model.Decoding.NewBatch(0, canForget: true);
        try
        {
            for (int prompt = 0; prompt < Prompts.Count; prompt++)
            {
                var (row, unread) = BeginFrom(cache, prompt);
                using (row)
                {
                    ReadInChunks(row, [unread], logits.Slice(prompt * VocabularySize, VocabularySize));
                    all.Join(row);
                }
            }

            return all;
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }

    private (IDecodingBatch Batch, int[] Unread) BeginFrom(PromptCache cache, int prompt)
    {
        if (Prompts.Embeddings is not null || Settings.Config.UseCache == false)
            throw new ArgumentException("A cache goes with prompts that are given as ids, and with UseCache.", nameof(cache));
        if (cache.Count != 1 && cache.Count != Prompts.Count)
            throw new ArgumentException($"The cache holds {cache.Count} texts, there are {Prompts.Count} prompts; expected one text for all, or one for each.", nameof(cache));
        int[] ids = Prompts.Ids(prompt);
        int text = cache.Count == 1 ? 0 : prompt;
        int shared = Math.Min(ids.AsSpan().CommonPrefixLength([.. cache.IdsOf(text)]), ids.Length - 1);
        return (cache.Begin(Model, text, shared), ids[shared..]);
    }
}
