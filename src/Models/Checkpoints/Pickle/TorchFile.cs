namespace MLComponents.Models;

/// <summary>
/// A file that <c>torch.save</c> wrote for a model's <c>state_dict</c>, such as <c>pytorch_model.bin</c>: a zip archive with a pickle and a file for every
/// storage, or in the form before PyTorch 1.6 several pickles and the storages behind them.
/// </summary>
internal static class TorchFile
{
    /// <summary>Opens a file and checks what it says about its tensors.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is damaged, or holds something else than tensors by name.</exception>
    /// <exception cref="NotSupportedException">The file names classes or functions that weights do not need, or is in a form that is not read.</exception>
    public static TensorSource Open(string path) => Open(new FileContent(path));

    /// <summary>As the other; the content is disposed of with the source.</summary>
    public static TensorSource Open(Content content)
    {
        try
        {
            byte[] start = content.Read(0, (int)Math.Min(content.Length, 32));
            return new ContentTensors(content,
                start.AsSpan().StartsWith("PK\x03\x04"u8) ? TorchArchive.Read(content)
                : start.AsSpan().StartsWith([(byte)PickleOpcode.Proto]) ? TorchSequence.Read(content)
                : throw new FormatException($"{content.Name}: does not start like a file of torch.save. {ForeignContent.Describe(start)}"));
        }
        catch
        {
            content.Dispose();
            throw;
        }
    }
}
