using System.Text;

namespace MLComponents.Models;

/// <content>Generation.</content>
public sealed partial class CausalLanguageModel
{
    private GenerationConfig? _generationConfig;
    private IDecodingModel? _decoding;

    /// <summary>
    /// How the model generates unless a call says otherwise: what its <c>generation_config.json</c> says, and its <c>config.json</c> where that says nothing. Saved
    /// with the model.
    /// </summary>
    public GenerationConfig GenerationConfig
    {
        get => _generationConfig ??= GenerationConfigJson is { } json ? GenerationConfig.Parse(json) : GenerationConfig.Parse(GenerationConfigFile.Default(Config));
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            GenerationConfigJson = value.ToJson();
            _generationConfig = value;
        }
    }

    /// <summary>
    /// Whether tokens are generated with copies of the matrices in eight bits, of which 32 share a scale: a token then reads about half the memory that it reads in
    /// bfloat16. Prompts of more than a few tokens are still read with the weights themselves. On a CPU only, and not while adapters are in force that are not merged.
    /// </summary>
    /// <remarks>The copies are made when the model first generates; they take 1.1 bytes for a weight beside the weights. After training set this again to make new ones.</remarks>
    public bool GeneratesInEightBits
    {
        get => _decoding is FusedDecodingModel { InEightBits: true };
        set => _decoding = new FusedDecodingModel(this) { InEightBits = value };
    }

    /// <summary>What generation asks for the next tokens.</summary>
    internal IDecodingModel Decoding
    {
        get => _decoding ??= new FusedDecodingModel(this);
        set => _decoding = value;
    }

    /// <summary>What a call starts from where it says nothing.</summary>
    internal GenerationConfig GenerationDefaults => GenerationConfig.Over(FromModelConfig(Config));

    /// <summary>Generates text. Any number of threads may call it for one model at the same time.</summary>
    /// <param name="input">The prompts, and what belongs to this call only.</param>
    /// <param name="config">How; what is null there follows <see cref="GenerationConfig"/>.</param>
    /// <param name="cancellationToken">Ends generation before the next token.</param>
    /// <exception cref="ArgumentException">What was asked for cannot be done, or parts of it contradict each other.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public GenerationOutput Generate(GenerationInput input, GenerationConfig? config = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        return GenerationStrategy.Run(new GenerationCall(this, input, config, cancellationToken));
    }

    /// <summary>Generates text from one prompt.</summary>
    /// <param name="inputIds">The token ids of the prompt.</param>
    /// <param name="config">How; what is null there follows <see cref="GenerationConfig"/>.</param>
    /// <param name="cancellationToken">Ends generation before the next token.</param>
    /// <exception cref="ArgumentException">What was asked for cannot be done, or parts of it contradict each other.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public GeneratedSequence Generate(IReadOnlyList<int> inputIds, GenerationConfig? config = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputIds);
        using GenerationOutput output = Generate(new GenerationInput { InputIds = [inputIds] }, config, cancellationToken);
        return output.Sequences[0];
    }

    /// <summary>What a <c>config.json</c> says about generation, as older ones do.</summary>
    private static GenerationConfig FromModelConfig(DecoderConfig config)
    {
        string others = string.Join(",", config.OtherKeys.Select(static pair => $"\"{pair.Key}\":{pair.Value}"));
        GenerationConfig read = GenerationConfig.Parse(Encoding.UTF8.GetBytes($"{{{others}}}"), ModelFolder.ConfigName);
        return (read with { OtherKeys = [] }).Over(GenerationConfig.Parse(GenerationConfigFile.Default(config)) with { OtherKeys = [] });
    }
}
