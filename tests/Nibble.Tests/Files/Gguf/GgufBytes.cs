using System.Text;

namespace Nibble.Tests.Files.Gguf;

/// <summary>Builds GGUF files byte by byte, right or wrong, without any code of the library.</summary>
internal sealed class GgufBytes
{
    private readonly List<byte> _bytes = [];

    public static GgufBytes Start(uint version, ulong tensors, ulong pairs) => new GgufBytes().Text("GGUF").U32(version).U64(tensors).U64(pairs);

    /// <summary>A valid start with one key, <c>general.architecture = llama</c>.</summary>
    public static GgufBytes WithArchitecture(ulong tensors, ulong morePairs = 0) =>
        Start(3, tensors, 1 + morePairs).String("general.architecture").U32(8).String("llama");

    public GgufBytes Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public GgufBytes Text(string text) => Raw(Encoding.UTF8.GetBytes(text));
    public GgufBytes U8(byte value) => Raw(value);
    public GgufBytes U16(ushort value) => Raw(BitConverter.GetBytes(value));
    public GgufBytes U32(uint value) => Raw(BitConverter.GetBytes(value));
    public GgufBytes U64(ulong value) => Raw(BitConverter.GetBytes(value));
    public GgufBytes String(string text) => U64((ulong)Encoding.UTF8.GetByteCount(text)).Text(text);

    public GgufBytes Tensor(string name, ulong[] dimensions, uint type, ulong offset)
    {
        String(name).U32((uint)dimensions.Length);
        foreach (ulong size in dimensions) U64(size);
        return U32(type).U64(offset);
    }

    /// <summary>Zeros up to a multiple of <paramref name="alignment"/>.</summary>
    public GgufBytes Pad(int alignment = 32)
    {
        while (_bytes.Count % alignment != 0) _bytes.Add(0);
        return this;
    }

    public GgufBytes Zeros(int count) => Raw(new byte[count]);

    public byte[] ToArray() => _bytes.ToArray();
}
