using MLComponents.Models;
using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>A causal language model with its tokenizer, and how it generates.</summary>
internal sealed class TextGenerator : DecoderScorer<CausalLanguageModel>
{
    private const string GenerationConfigEntry = "generation_config.json";

    private const int DefaultNewTokens = 256;

    private readonly GenerationConfig _config;
    private readonly GenerationInput _input;
    private readonly PromptEncoder _encoder;
    private readonly int _batchSize;
    private readonly int[] _eosIds;
    private readonly bool _joins;
    private readonly bool _caches;
    private readonly SharedPrompts _shared;

    /// <summary>Wraps a model, which is switched to evaluation and stays where it is.</summary>
    /// <param name="model">The model; owned by this object from now on.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="options">How to generate.</param>
    /// <param name="source">What to call the model in messages.</param>
    /// <exception cref="FormatException">The tokenizer has ids that the model has no embedding for, or an expression or schema is none.</exception>
    /// <exception cref="NotSupportedException">An expression or schema uses what is not supported.</exception>
    /// <exception cref="ArgumentException">What was asked for cannot be done with this model.</exception>
    public TextGenerator(CausalLanguageModel model, PretrainedTokenizer tokenizer, TextGenerationOptions options, string source = "the model")
        : base(model, tokenizer, options.MaxPromptLength, source)
    {
        _batchSize = options.BatchSize;
        int context = model.Config.MaxPositions;
        int newTokens = options.Generation.MaxNewTokens ?? model.GenerationConfig.MaxNewTokens ?? Math.Clamp(context / 2, 1, DefaultNewTokens);
        if (newTokens >= context)
            throw new ArgumentOutOfRangeException(nameof(options), newTokens, $"MaxNewTokens is {newTokens}, the context of {source} has {context} tokens (max_position_embeddings): there is no room for a prompt.");
        if (options.MaxPromptLength > context - newTokens)
            throw new ArgumentOutOfRangeException(nameof(options), options.MaxPromptLength, $"MaxPromptLength is {options.MaxPromptLength} and MaxNewTokens {newTokens}; together they exceed the {context} tokens of the context of {source} (max_position_embeddings).");
        bool isRestricted = options.Choices is not null || options.Regex is not null || options.JsonSchema is not null;
        // Stop strings of the model's own configuration could end a text before it is what was asked for; those of the options are refused.
        _config = options.Generation with { MaxNewTokens = newTokens, StopStrings = isRestricted ? [] : options.Generation.StopStrings };
        _input = new GenerationInput
        {
            Tokenizer = tokenizer,
            Constraint = options switch
            {
                { Choices: { } choices } => OutputConstraint.Choices(choices, tokenizer),
                { Regex: { } pattern } => OutputConstraint.Regex(pattern, tokenizer),
                { JsonSchema: { } schema } => OutputConstraint.JsonSchema(schema, tokenizer),
                _ => null,
            },
        };
        if (_input.Constraint?.MinimumLength > newTokens)
            throw new ArgumentException($"The shortest text that is allowed has {_input.Constraint.MinimumLength} tokens, MaxNewTokens is {newTokens}; raise it.", nameof(options));
        // What contradicts itself is refused now, not at the first row.
        GenerationSettings settings = new GenerationCall(model, _input with { InputIds = [[0]], AttentionMask = [[true]] }, _config, CancellationToken.None).Settings;
        _eosIds = settings.EosIds;
        _caches = settings.Config.UseCache ?? true;
        _joins = settings is { Mode: GenerationMode.Tokens, GuidanceScale: 1 };
        if (_input.Constraint is not null && settings.BeamCount > 1)
            throw new ArgumentException($"NumBeams is {settings.BeamCount}; texts that choices, an expression or a schema restrict are generated without beams.", nameof(options));
        _encoder = new PromptEncoder(tokenizer, options.Chat, options.MaxPromptLength ?? context - newTokens, options.TruncationSide);
        _shared = new SharedPrompts(model, _encoder);
    }

    /// <summary>Most tokens of a prompt.</summary>
    public int MaxPromptLength => _encoder.MaxLength;

    /// <summary>Encodes a prompt.</summary>
    /// <exception cref="InvalidOperationException">What stands around the input leaves no room for it.</exception>
    public EncodedText Encode(GenerationPrompt prompt) => _encoder.Encode(prompt);

    /// <summary>Generates a text for each prompt, no further than they are enumerated but for those in the same batch.</summary>
    /// <param name="prompts">The prompts.</param>
    /// <param name="beginning">What the texts of their column begin with, which is read once; empty where they have nothing in common.</param>
    /// <param name="checkAlive">Throws when the run was cancelled; asked before every token.</param>
    /// <param name="cancellation">Ends generation before the next token.</param>
    public IEnumerable<GeneratedText> Generate(IReadOnlyList<int[]> prompts, string beginning, Action checkAlive, CancellationToken cancellation)
    {
        GenerationInput input = _input with
        {
            Seeds = [.. prompts.Select(SeedOf)],
            StoppingCriteria =
            [
                (_, _) =>
                {
                    checkAlive();
                    return false;
                },
            ],
        };
        IEnumerable<GeneratedSequence> sequences = _joins
            ? Model.GenerateMany(prompts, _config, _batchSize, input with { Cache = _caches ? _shared.Of(beginning).Cache : null }, cancellation)
            : prompts.Select((prompt, index) => One(input with { InputIds = [prompt], AttentionMask = [[.. prompt.Select(static _ => true)]], Seeds = [input.Seeds[index]] }));
        return sequences.Select(sequence => new GeneratedText(TextOf(sequence), sequence));

        GeneratedSequence One(GenerationInput own)
        {
            using GenerationOutput output = Model.Generate(own, _config, cancellation);
            return output.Sequences[0];
        }
    }

    /// <summary>The seed of a row: it follows from the seed of all and the prompt, so that a row is the same in every batch and alone.</summary>
    internal long SeedOf(IReadOnlyList<int> prompt)
    {
        long seed = _config.Seed ?? 0;
        foreach (int id in prompt) seed = RowRandom.SeedOf(seed, id);
        return seed;
    }

    public override void Save(Action<string, Action<Stream>> saveEntry)
    {
        base.Save(saveEntry);
        saveEntry(GenerationConfigEntry, stream => stream.Write(Model.GenerationConfig.ToJson()));
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FormatException">An entry is missing, damaged or larger than is believable.</exception>
    public static TextGenerator Read(ModelSource source, TextGenerationOptions options)
    {
        byte[] generation = ModelEntries.ReadAll(source.LoadEntry, GenerationConfigEntry);
        return ModelEntries.Read(
            source,
            CausalLanguageModel.Create,
            (model, tokenizer) =>
            {
                model.GenerationConfig = GenerationConfig.Parse(generation, "the model file's " + GenerationConfigEntry);
                return new TextGenerator(model, tokenizer, options, "the model file");
            });
    }

    public override void Dispose()
    {
        _shared.Dispose();
        base.Dispose();
    }

    /// <summary>The text of new tokens, without special tokens and up to the stop string.</summary>
    private string TextOf(GeneratedSequence sequence)
    {
        int[] ids = [.. sequence.NewIds];
        if (_input.Constraint is { } constraint) return constraint.TextOf(ids, _eosIds);
        string text = Tokenizer.Decode(ids, skipSpecialTokens: true);
        if (sequence.StopString is not { } stop) return text;
        int end = text.IndexOf(stop, StringComparison.Ordinal);
        // A stop string that began in the prompt: all of the text is its end, or comes behind it.
        return end < 0 ? "" : text[..end];
    }
}
