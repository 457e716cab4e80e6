namespace MLComponents.Models;

/// <summary>What a call comes down to: nothing is left open, and nothing contradicts.</summary>
internal sealed record GenerationSettings
{
    private const int DefaultNewTokens = 20;
    private const int DefaultTopK = 50;

    /// <summary>What was asked for, over what the model says.</summary>
    public required GenerationConfig Config { get; init; }

    public required GenerationMode Mode { get; init; }

    /// <summary>The most tokens of a row, padding and prompt included, embeddings not.</summary>
    public required int MaxLength { get; init; }

    public required int MinLength { get; init; }

    public required int BeamCount { get; init; }

    public required int BeamGroupCount { get; init; }

    public required int SequenceCount { get; init; }

    public required int[] EosIds { get; init; }

    public required int PadId { get; init; }

    public required long Seed { get; init; }

    public bool DoSample => Config.DoSample ?? false;

    public int TopK => Config.TopK ?? DefaultTopK;

    public double LengthPenalty => Config.LengthPenalty ?? 1;

    public EarlyStopping EarlyStopping => Config.EarlyStopping ?? EarlyStopping.Heuristic;

    public bool OutputScores => Config.OutputScores ?? false;

    public bool OutputLogits => Config.OutputLogits ?? false;

    public double GuidanceScale => Config.GuidanceScale ?? 1;

    /// <summary>Works out what a call comes down to.</summary>
    /// <param name="config">What was asked for, over what the model says.</param>
    /// <param name="input">The call.</param>
    /// <param name="prompts">Its prompts.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="ArgumentException">What was asked for cannot be done.</exception>
    public static GenerationSettings Of(GenerationConfig config, GenerationInput input, Prompts prompts, DecoderConfig model)
    {
        int beams = AtLeast(config.NumBeams ?? 1, 1, nameof(config.NumBeams));
        int groups = AtLeast(config.NumBeamGroups ?? 1, 1, nameof(config));
        int sequences = AtLeast(config.NumReturnSequences ?? 1, 1, nameof(config));
        GenerationMode mode = ModeOf(config, input, beams, groups);
        int[] eos = [.. config.EosTokenIds ?? []];
        CheckIds(eos, nameof(config.EosTokenIds));
        CheckIds(config.ForcedEosTokenIds, nameof(config.ForcedEosTokenIds));
        CheckIds(config.SuppressTokens, nameof(config.SuppressTokens));
        CheckIds(config.BeginSuppressTokens, nameof(config.BeginSuppressTokens));
        if (config.ForcedBosTokenId is { } bos) CheckIds([bos], nameof(config.ForcedBosTokenId));

        if (sequences > 1 && beams == 1 && config.DoSample != true)
        {
            throw new ArgumentException(
                $"NumReturnSequences is {sequences}, but without sampling and beams there is only one text for a prompt; set DoSample, or NumBeams to at least {sequences}.",
                nameof(config));
        }

        if (beams > 1 && sequences > beams)
            throw new ArgumentException($"NumReturnSequences is {sequences}, NumBeams only {beams}; a beam search gives no more texts than it has beams.", nameof(config));
        if (groups > 1 && (beams % groups != 0 || config.DoSample == true))
            throw new ArgumentException($"NumBeamGroups is {groups}; expected a divisor of NumBeams, which is {beams}, and no sampling.", nameof(config));
        if (mode == GenerationMode.Assisted && (prompts.Count > 1 || sequences > 1 || config.UseCache == false || prompts.Embeddings is not null))
        {
            throw new ArgumentException(
                "Assisted generation and prompt lookup are for one text of one prompt, given as ids, with a cache. Call it for each prompt, or leave the assistant out.", nameof(input));
        }

        if (input.AssistantTokenizer is not null && (input.AssistantModel is null || input.Tokenizer is null))
            throw new ArgumentException("AssistantTokenizer goes with AssistantModel, whose tokenizer it is, and with Tokenizer, which is the model's; set all three.", nameof(input));
        if (input.Streamer is not null && (prompts.Count > 1 || sequences > 1 || beams > 1))
            throw new ArgumentException("A streamer is for one text without beams; call it for each prompt.", nameof(input));
        if (input.Seeds is { } seeds && seeds.Count != prompts.Count * sequences)
            throw new ArgumentException($"There are {seeds.Count} seeds for {prompts.Count * sequences} texts; expected one for each.", nameof(input));
        if (config.StopStrings is { Count: > 0 } stops)
        {
            if (input.Tokenizer is null) throw new ArgumentException("StopStrings need a tokenizer; set Tokenizer in the input.", nameof(input));
            if (stops.Any(string.IsNullOrEmpty)) throw new ArgumentException("StopStrings holds an empty text.", nameof(config));
        }

        if (config.PrefillChunkSize is { } chunk) AtLeast(chunk, 1, nameof(config.PrefillChunkSize));
        (int maxLength, int minLength) = Lengths(config, prompts, model);
        return new GenerationSettings
        {
            Config = config,
            Mode = mode,
            MaxLength = maxLength,
            MinLength = minLength,
            BeamCount = beams,
            BeamGroupCount = groups,
            SequenceCount = sequences,
            EosIds = eos,
            PadId = config.PadTokenId ?? (eos.Length > 0 ? eos[0] : 0),
            Seed = config.Seed ?? Random.Shared.NextInt64(),
        };

        void CheckIds(IEnumerable<int>? ids, string name)
        {
            foreach (int id in ids ?? [])
            {
                if (id < 0 || id >= model.VocabularySize)
                    throw new ArgumentException($"{name} holds the id {id}; the model has ids from 0 to {model.VocabularySize - 1}.", name);
            }
        }
    }

    private static GenerationMode ModeOf(GenerationConfig config, GenerationInput input, int beams, int groups)
    {
        GenerationMode mode = config.ForceWordsIds is { Count: > 0 } ? GenerationMode.ConstrainedBeams
            : beams > 1 ? groups > 1 ? GenerationMode.DiverseBeams : GenerationMode.Beams
            : config.DoSample != true && config.PenaltyAlpha > 0 && (config.TopK ?? DefaultTopK) > 1 ? GenerationMode.Contrastive
            : GenerationMode.Tokens;
        if (mode == GenerationMode.ConstrainedBeams && (beams == 1 || groups > 1 || config.DoSample == true))
            throw new ArgumentException("ForceWordsIds needs a beam search: NumBeams above 1, no groups, no sampling.", nameof(config));
        if (input.AssistantModel is null && config.PromptLookupNumTokens is null) return mode;
        return mode == GenerationMode.Tokens
            ? GenerationMode.Assisted
            : throw new ArgumentException("An assistant model or prompt lookup goes with the likeliest token or with sampling only, without beams or contrastive search.", nameof(input));
    }

    private static (int Max, int Min) Lengths(GenerationConfig config, Prompts prompts, DecoderConfig model)
    {
        int prompt = prompts.Length, embedded = prompts.Embeddings is { } embeddings ? (int)embeddings.shape[1] : 0;
        int max;
        if (config.MaxNewTokens is { } newTokens) max = prompt + AtLeast(newTokens, 1, nameof(config.MaxNewTokens));
        else if (config.MaxLength is { } length) max = length - embedded;
        else max = Math.Min(prompt + DefaultNewTokens, Math.Max(model.MaxPositions - embedded, 0));
        if (max <= prompt)
        {
            string limit = config.MaxLength is { } set ? $"MaxLength is {set}" : $"the model was made for {model.MaxPositions} tokens";
            throw new ArgumentException($"The prompt has {prompt + embedded} tokens and {limit}, so there is no room for new ones. Set MaxNewTokens, or shorten the prompt.", nameof(config));
        }

        int min = config.MinNewTokens is { } minNew ? prompt + minNew : Math.Max(0, (config.MinLength ?? 0) - embedded);
        return (max, min);
    }

    private static int AtLeast(int value, int least, string name) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} must be at least {least}.");
}
