using MLComponents.Tokenization;
using Microsoft.Extensions.AI;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// A language model behind the interface that .NET has for embeddings: the final hidden states of a text, after the last norm, made one vector. Any number of threads may
/// use one generator, and any number of generators one model; the model must not change meanwhile.
/// </summary>
/// <remarks>Texts are encoded as the tokenizer encodes any text, special tokens included. A vector does not depend on the texts beside it, rounding apart.</remarks>
public sealed class LanguageModelEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly PretrainedModel _model;
    private readonly PretrainedTokenizer _tokenizer;
    private readonly EmbeddingSettings _settings;
    private readonly string _modelId;
    private readonly bool _ownsModel;
    private bool _disposed;

    /// <summary>Puts a model behind the interface. It stays the caller's to dispose.</summary>
    /// <param name="model">The model; its head is not used.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="settings">How vectors are made; the defaults if null.</param>
    public LanguageModelEmbeddingGenerator(PretrainedModel model, PretrainedTokenizer tokenizer, EmbeddingSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        (_model, _tokenizer, _settings) = (model, tokenizer, settings ?? new EmbeddingSettings());
        if (!Enum.IsDefined(_settings.Pooling)) throw new ArgumentOutOfRangeException(nameof(settings), _settings.Pooling, "There is no such pooling.");
        ArgumentOutOfRangeException.ThrowIfLessThan(_settings.MaxLength ?? 1, 1, nameof(settings));
        ArgumentOutOfRangeException.ThrowIfLessThan(_settings.BatchTokens, 1, nameof(settings));
        _modelId = _settings.ModelId ?? model.FolderName ?? model.Config.ModelType;
    }

    private LanguageModelEmbeddingGenerator(PretrainedModel model, PretrainedTokenizer tokenizer, EmbeddingSettings? settings, bool ownsModel)
        : this(model, tokenizer, settings) => _ownsModel = ownsModel;

    /// <summary>Reads a Hugging Face folder. The model is disposed with the generator.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="settings">How vectors are made; the defaults if null.</param>
    /// <param name="dtype">The element type of the weights; the stored one if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <inheritdoc cref="CausalLanguageModel.Load(string, ScalarType?, Device?, AttentionImplementation, long, bool)" path="/exception"/>
    public static LanguageModelEmbeddingGenerator Load(string folder, EmbeddingSettings? settings = null, ScalarType? dtype = null, Device? device = null)
    {
        CausalLanguageModel model = CausalLanguageModel.Load(folder, dtype, device);
        try
        {
            return new LanguageModelEmbeddingGenerator(model, PretrainedTokenizer.Load(folder), settings, ownsModel: true);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Makes a vector of each text.</summary>
    /// <param name="values">The texts.</param>
    /// <param name="options">
    /// <see cref="EmbeddingGenerationOptions.Dimensions"/> keeps so many of the first numbers, before vectors are normalised: for models that were trained for it.
    /// </param>
    /// <param name="cancellationToken">Ends the work before the next batch.</param>
    /// <returns>The vectors in the order of the texts, with the number of tokens in all.</returns>
    /// <exception cref="ArgumentException">A text has no tokens, or more than may be, or the options do not fit the model.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        ObjectDisposedException.ThrowIf(_disposed, this);
        Check(options);
        string[] texts = [.. values];
        return Task.Run(() => Generate(texts, options?.Dimensions ?? _model.Config.HiddenSize, cancellationToken), cancellationToken);
    }

    /// <summary>Gives <see cref="EmbeddingGeneratorMetadata"/>, the <see cref="PretrainedModel"/>, the <see cref="PretrainedTokenizer"/>, or the generator itself.</summary>
    /// <param name="serviceType">Which of them.</param>
    /// <param name="serviceKey">Nothing here has a key.</param>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType == typeof(EmbeddingGeneratorMetadata)) return new EmbeddingGeneratorMetadata("mlcomponents", null, _modelId, _model.Config.HiddenSize);
        object[] services = [this, _model, _tokenizer];
        return services.FirstOrDefault(serviceType.IsInstanceOfType);
    }

    /// <summary>Releases the model if it was read by <see cref="Load"/>.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (_ownsModel) _model.Dispose();
    }

    private void Check(EmbeddingGenerationOptions? options)
    {
        if (options?.ModelId is { } asked && asked != _modelId)
            throw new ArgumentException($"The request is for the model '{asked}'; this generator has '{_modelId}'. Leave ModelId out, or ask a generator of that model.", nameof(options));
        if (options?.Dimensions is { } dimensions && (dimensions < 1 || dimensions > _model.Config.HiddenSize))
            throw new ArgumentOutOfRangeException(nameof(options), dimensions, $"The vectors of this model have {_model.Config.HiddenSize} numbers; expected Dimensions from 1 to that.");
        if (options?.AdditionalProperties is { Count: > 0 } properties)
            throw new ArgumentException($"AdditionalProperties holds {string.Join(", ", properties.Keys)}, which mean nothing here; leave them out.", nameof(options));
        if (options?.RawRepresentationFactory is not null)
            throw new ArgumentException("RawRepresentationFactory means nothing here; leave it out.", nameof(options));
    }

    private GeneratedEmbeddings<Embedding<float>> Generate(string[] texts, int dimensions, CancellationToken cancellation)
    {
        DateTimeOffset created = DateTimeOffset.UtcNow;
        int longest = _settings.MaxLength ?? _model.Config.MaxPositions;
        var encoded = new int[texts.Length][];
        var embeddings = new Embedding<float>[texts.Length];
        long tokens = 0;
        for (int index = 0; index < texts.Length; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            int[] ids = _tokenizer.EncodeIds(texts[index] ?? throw new ArgumentException($"Text {index} is null.", nameof(texts)));
            if (ids.Length == 0) throw new ArgumentException($"Text {index} has no tokens; expected at least one.", nameof(texts));
            if (ids.Max() >= _model.Config.VocabularySize)
                throw new ArgumentException($"Text {index} has the token id {ids.Max()}; the model has ids from 0 to {_model.Config.VocabularySize - 1}. The tokenizer is another model's.", nameof(texts));
            if (ids.Length > longest && !_settings.Truncate)
                throw new ArgumentException($"Text {index} has {ids.Length} tokens, and at most {longest} are read. Shorten it, or set Truncate to leave the rest out.", nameof(texts));
            encoded[index] = ids.Length > longest ? ids[..longest] : ids;
            tokens += encoded[index].Length;
            embeddings[index] = new Embedding<float>(default) { ModelId = _modelId, CreatedAt = created };
            if (ids.Length > longest) embeddings[index].AdditionalProperties = new() { ["truncated_tokens"] = ids.Length - longest };
        }

        using var noGradient = no_grad();
        foreach (int[] batch in Batches(encoded))
        {
            cancellation.ThrowIfCancellationRequested();
            float[][] vectors = Pool([.. batch.Select(index => encoded[index])], dimensions);
            for (int place = 0; place < batch.Length; place++) embeddings[batch[place]].Vector = vectors[place];
        }

        return new GeneratedEmbeddings<Embedding<float>>(embeddings) { Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens } };
    }

    /// <summary>The texts by length, so many together as the model reads at a time.</summary>
    private IEnumerable<int[]> Batches(int[][] encoded)
    {
        List<int> batch = [];
        foreach (int index in Enumerable.Range(0, encoded.Length).OrderByDescending(index => encoded[index].Length))
        {
            // Where rotary frequencies follow the length of a batch, padding would change them.
            bool fits = batch.Count > 0 && (batch.Count + 1) * encoded[batch[0]].Length <= _settings.BatchTokens
                && (!_model.Config.Rope.DependsOnLength || encoded[batch[0]].Length == encoded[index].Length);
            if (batch.Count > 0 && !fits)
            {
                yield return [.. batch];
                batch.Clear();
            }

            batch.Add(index);
        }

        if (batch.Count > 0) yield return [.. batch];
    }

    /// <summary>The vectors of a batch, the longest text first. Padding stands behind the texts, where no token of them sees it: there is no need for a mask.</summary>
    private float[][] Pool(int[][] rows, int dimensions)
    {
        int width = rows[0].Length;
        var ids = new long[rows.Length * width];
        for (int row = 0; row < rows.Length; row++)
            for (int column = 0; column < rows[row].Length; column++) ids[(row * width) + column] = rows[row][column];
        using var scope = NewDisposeScope();
        Tensor inputIds = tensor(ids, [rows.Length, width], device: _model.Decoder.EmbeddingWeight.device);

        // Frequencies that follow the length are remembered by a cache; the model itself would remember other callers' lengths.
        using KeyValueCache? cache = _model.Config.Rope.DependsOnLength ? new DynamicCache(_model.Config) : null;
        using DecoderOutput output = _model.Decoder.Forward(new DecoderInput { InputIds = inputIds, Cache = cache });
        var vectors = new float[rows.Length][];
        for (int row = 0; row < rows.Length; row++)
        {
            Tensor states = output.LastHiddenState[row].narrow(0, 0, rows[row].Length).to(ScalarType.Float32); // [tokens, hidden]
            Tensor pooled = _settings.Pooling == EmbeddingPooling.Mean ? states.mean([0]) : states[-1];
            pooled = pooled.narrow(0, 0, dimensions);
            if (_settings.Normalize) pooled = nn.functional.normalize(pooled, dim: 0);
            vectors[row] = pooled.cpu().contiguous().data<float>().ToArray();
        }

        return vectors;
    }
}
