namespace MLComponents.Models;

/// <summary>Generation by the forward passes of the model itself: any device, any element type, adapters included.</summary>
internal sealed class TorchDecodingModel(CausalLanguageModel model) : IDecodingModel
{
    /// <inheritdoc/>
    public DecoderConfig Config => model.Config;

    /// <inheritdoc/>
    public TorchDecodingBatch NewBatch(int rows, bool canForget) => new(model, rows, canForget);

    /// <inheritdoc/>
    IDecodingBatch IDecodingModel.NewBatch(int rows, bool canForget) => NewBatch(rows, canForget);
}
