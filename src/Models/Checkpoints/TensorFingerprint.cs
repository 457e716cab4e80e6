using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>What tells tensors from others: a SHA-256 over their names, types, shapes and bytes.</summary>
internal static class TensorFingerprint
{
    /// <summary>The fingerprint, in lower-case hexadecimal digits. The order of the tensors does not matter.</summary>
    public static string Of(IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            foreach ((string name, Tensor tensor) in tensors.OrderBy(item => item.Name, StringComparer.Ordinal))
            {
                string shape = string.Join(',', tensor.shape.Select(size => size.ToString(CultureInfo.InvariantCulture)));
                stream.Write(Encoding.UTF8.GetBytes($"{name}:{tensor.dtype}[{shape}]\n"));
                TensorBytes.Write(tensor, tensor.dtype, stream);
            }
        }

        return Convert.ToHexStringLower(hash.Hash!);
    }
}
