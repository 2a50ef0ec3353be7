using System.Text;
using System.Text.Json;

namespace Nibble.Tests.Files.Safetensors;

/// <summary>Builds safetensors files, right or wrong, without any code of the library.</summary>
internal static class SafetensorsBytes
{
    /// <summary>A file with this header and data, whatever they are.</summary>
    public static byte[] Of(string header, int dataBytes) => [.. BitConverter.GetBytes((long)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. new byte[dataBytes]];

    /// <summary>A valid file of tensors one after the other; shapes with the slowest dimension first, as the format writes them.</summary>
    public static byte[] Of(params (string Name, string Type, long[] Shape, byte[] Data)[] tensors)
    {
        Dictionary<string, Dictionary<string, object>> header = [];
        int start = 0;
        foreach ((string name, string type, long[] shape, byte[] data) in tensors)
        {
            header[name] = new() { ["dtype"] = type, ["shape"] = shape, ["data_offsets"] = new[] { start, start + data.Length } };
            start += data.Length;
        }
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        return [.. BitConverter.GetBytes((long)json.Length), .. json, .. tensors.SelectMany(t => t.Data)];
    }

    /// <summary>Floats as their bytes.</summary>
    public static byte[] F32(IEnumerable<float> values) => [.. values.SelectMany(BitConverter.GetBytes)];
}
