using System.Security.Cryptography;
using System.Text;
using Nibble.Files;
using Nibble.Formats;

namespace Nibble.Evaluation.Comparison.Running;

/// <summary>Tells whether a file is still the model that was made, whatever measurements have been kept in it since.</summary>
internal static class LevelIdentity
{
    /// <summary>SHA-256 of all tensors, and of all metadata but <c>nibble.eval.*</c>, in 64 hexadecimal digits.</summary>
    /// <param name="path">The file.</param>
    /// <param name="layout">How I2_S is packed, where that is not to be told from the file.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="NibbleException">The file cannot be read.</exception>
    public static string Of(string path, I2_SLayout? layout, CancellationToken cancellationToken)
    {
        using ModelFile file = ModelFile.Open(path, layout);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string key, MetadataValue value) in file.Metadata)
        {
            if (key.StartsWith(EvaluationKeys.Prefix, StringComparison.Ordinal)) continue;
            hash.AppendData(Encoding.UTF8.GetBytes($"{key} {value.Type} {value.Bytes.Length}\n"));
            hash.AppendData(value.Bytes.Span);
        }
        foreach (TensorInfo tensor in file.Tensors)
            hash.AppendData(Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.Format} {string.Join('x', tensor.Dimensions)} {HashedFile.Of(file, tensor, cancellationToken: cancellationToken)}\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
