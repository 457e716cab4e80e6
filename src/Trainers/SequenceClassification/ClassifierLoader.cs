using MLComponents.Models;
using MLComponents.Tokenization;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Loads what is to be fine-tuned: a folder, or the decoder that comes with the library, with a head for the labels.</summary>
internal static class ClassifierLoader
{
    /// <summary>Texts are cut to this many tokens where nothing else is asked for: longer ones cost much and seldom help.</summary>
    private const int DefaultMaxLength = 512;

    /// <summary>Throws where there is nothing to load, before any time is spent on the data.</summary>
    /// <exception cref="DirectoryNotFoundException">The model's folder does not exist.</exception>
    public static void CheckFolder(SequenceClassificationOptions options)
    {
        if (options.Model is { } named && !Directory.Exists(named))
            throw new DirectoryNotFoundException($"{nameof(options.Model)} is '{named}', but there is no folder {Path.GetFullPath(named)}; expected a Hugging Face folder with config.json, model.safetensors and tokenizer.json.");
    }

    /// <summary>Loads model and tokenizer.</summary>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is damaged, or the tokenizer does not belong to the model.</exception>
    /// <exception cref="NotSupportedException">The model is of a family, or the tokenizer of a kind, that is not supported.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The longest length asked for exceeds the model's context.</exception>
    public static TextClassifier Load(SequenceClassificationOptions options, ClassLabels labels, Device device)
    {
        PretrainedTokenizer tokenizer = options.Model is { } path ? PretrainedTokenizer.Load(path) : TinyDecoder.LoadTokenizer();
        DecoderConfig Adapt(DecoderConfig config) => config with
        {
            LabelNames = [.. labels.Names],
            ProblemType = ProblemType.SingleLabelClassification,
            PadTokenId = config.PadTokenId ?? PadIdWithin(config.VocabularySize),
        };

        // A tokenizer that has larger ids is refused below, by words of its own.
        int? PadIdWithin(int vocabularySize) => (tokenizer.PadTokenId ?? tokenizer.EosTokenId) is { } id && id < vocabularySize ? id : null;

        ScalarType dtype = options.Precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        var storage = new ModelStorage(dtype, device, AttentionImplementation.ScaledDotProduct, options.Seed);
        SequenceClassificationModel model = options.Model is { } folder
            ? SequenceClassificationModel.Load(folder, Adapt, storage)
            : TinyDecoder.Load(Adapt, storage);
        try
        {
            return new TextClassifier(model, tokenizer, options.MaxLength ?? Math.Min(DefaultMaxLength, model.Config.MaxPositions), options.TruncationSide,
                options.Model ?? "this library's tiny decoder");
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
