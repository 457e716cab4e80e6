using MLComponents.Models;
using MLComponents.Tokenization;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>What is to be fine-tuned: a folder, or the decoder that comes with the library, under the head of the task.</summary>
/// <param name="options">Which one, and in which precision.</param>
internal sealed class StartingModel(FineTuningOptions options)
{
    /// <summary>Texts are cut to this many tokens where nothing else is asked for: longer ones cost much and seldom help.</summary>
    private const int DefaultMaxLength = 512;

    /// <summary>What to call it in messages.</summary>
    public string Name => options.Model ?? "this library's tiny decoder";

    /// <summary>Throws where there is nothing to load, before any time is spent on the data.</summary>
    /// <exception cref="DirectoryNotFoundException">The model's folder does not exist.</exception>
    public void CheckFolder()
    {
        if (options.Model is { } named && !Directory.Exists(named))
            throw new DirectoryNotFoundException($"{nameof(options.Model)} is '{named}', but there is no folder {Path.GetFullPath(named)}; expected a Hugging Face folder with config.json, model.safetensors and tokenizer.json.");
    }

    /// <summary>Reads the tokenizer.</summary>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is damaged.</exception>
    /// <exception cref="NotSupportedException">The tokenizer is of a kind that is not supported.</exception>
    private PretrainedTokenizer LoadTokenizer() => options.Model is { } folder ? PretrainedTokenizer.Load(folder) : TinyDecoder.LoadTokenizer();

    /// <summary>Reads the model.</summary>
    /// <param name="tokenizer">Its tokenizer, which names the padding token where the configuration does not.</param>
    /// <param name="adapt">What the task changes in the configuration: labels, the type of the problem.</param>
    /// <param name="create">Makes the model with the task's head: <c>SequenceClassificationModel.Create</c>.</param>
    /// <param name="device">Where to.</param>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is damaged.</exception>
    /// <exception cref="NotSupportedException">The model is of a family that is not supported.</exception>
    private T Load<T>(PretrainedTokenizer tokenizer, Func<DecoderConfig, DecoderConfig> adapt, Func<DecoderConfig, WeightPlacement, T> create, Device device)
        where T : PretrainedModel
    {
        DecoderConfig Adapted(DecoderConfig config) => adapt(config) with { PadTokenId = config.PadTokenId ?? PadIdWithin(config.VocabularySize) };

        // A tokenizer that has larger ids is refused by whoever puts the two together.
        int? PadIdWithin(int vocabularySize) => (tokenizer.PadTokenId ?? tokenizer.EosTokenId) is { } id && id < vocabularySize ? id : null;

        ScalarType dtype = options.Precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        var storage = new WeightPlacement(dtype, device, AttentionImplementation.ScaledDotProduct, options.Seed);
        return options.Model is { } folder ? ModelFolder.Load(folder, Adapted, create, storage) : TinyDecoder.Load(Adapted, create, storage);
    }

    /// <summary>Reads tokenizer and model, and makes what scores with them.</summary>
    /// <param name="adapt">What the task changes in the configuration: labels, the type of the problem.</param>
    /// <param name="create">Makes the model with the task's head.</param>
    /// <param name="device">Where to.</param>
    /// <param name="wrap">Makes the scorer, which owns the model from then on.</param>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is damaged, or does not fit the others.</exception>
    /// <exception cref="NotSupportedException">The model is of a family, or the tokenizer of a kind, that is not supported.</exception>
    public TScorer LoadScorer<TModel, TScorer>(
        Func<DecoderConfig, DecoderConfig> adapt, Func<DecoderConfig, WeightPlacement, TModel> create, Device device, Func<TModel, PretrainedTokenizer, TScorer> wrap)
        where TModel : PretrainedModel
    {
        PretrainedTokenizer tokenizer = LoadTokenizer();
        TModel model = Load(tokenizer, adapt, create, device);
        try
        {
            return wrap(model, tokenizer);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Most tokens of a text: what is asked for, else the model's context, at most 512.</summary>
    public int MaxLengthOf(DecoderConfig config) => options.MaxLength ?? Math.Min(DefaultMaxLength, config.MaxPositions);
}
