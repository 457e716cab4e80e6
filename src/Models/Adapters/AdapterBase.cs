namespace MLComponents.Models;

/// <summary>The model that an adapter belongs to, where that is not stored with it.</summary>
/// <param name="Folder">Its folder, or null for the decoder that comes with the library.</param>
/// <param name="Fingerprint">Of its decoder's weights, as they are loaded; see <see cref="TensorFingerprint"/>.</param>
internal sealed record AdapterBase(string? Folder, string Fingerprint)
{
    /// <summary>The fingerprint of a model's decoder, without adapters and head.</summary>
    public static string FingerprintOf(PretrainedModel model)
    {
        string head = $"{model.Names.HeadOf(model.Head)}.";
        return TensorFingerprint.Of(model.BaseParameters().Where(item => !item.Name.StartsWith(head, StringComparison.Ordinal)).Select(item => (item.Name, (TorchSharp.torch.Tensor)item.Parameter)));
    }
}
