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

    /// <summary>Loads model and tokenizer.</summary>
    /// <exception cref="DirectoryNotFoundException">The model's folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The folder lacks a file.</exception>
    /// <exception cref="FormatException">A file is damaged, or the tokenizer does not belong to the model.</exception>
    public static TextClassifier Load(SequenceClassificationOptions options, ClassLabels labels, Device device)
    {
        if (options.Model is { } named && !Directory.Exists(named))
            throw new DirectoryNotFoundException($"{nameof(options.Model)} is '{named}', but there is no folder {Path.GetFullPath(named)}; expected a Hugging Face folder with config.json, model.safetensors and tokenizer.json.");
        PretrainedTokenizer tokenizer = options.Model is { } path ? PretrainedTokenizer.Load(path) : TinyDecoder.LoadTokenizer();
        DecoderConfig Adapt(DecoderConfig config) => config with
        {
            LabelNames = [.. labels.Names],
            ProblemType = ProblemType.SingleLabelClassification,
            PadTokenId = config.PadTokenId ?? tokenizer.PadTokenId ?? tokenizer.EosTokenId,
        };

        ScalarType dtype = options.Precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        var storage = new ModelStorage(dtype, device, AttentionImplementation.ScaledDotProduct, options.Seed);
        SequenceClassificationModel model = options.Model is { } folder
            ? SequenceClassificationModel.Load(folder, Adapt, storage)
            : TinyDecoder.Load(Adapt, storage);
        try
        {
            return new TextClassifier(model, tokenizer, options.MaxLength ?? Math.Min(DefaultMaxLength, model.Config.MaxPositions), options.TruncationSide);
        }
        catch (Exception error)
        {
            model.Dispose();
            // The arguments came from files: a tokenizer larger than the model's vocabulary is a fault of the folder.
            throw error is ArgumentException and not ArgumentOutOfRangeException
                ? new FormatException($"The model {(options.Model is null ? "of this library" : $"in {options.Model}")} is damaged: {error.Message}", error)
                : error;
        }
    }
}
