using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Files.Gguf;

/// <summary>The I2_S tensors of a file, which are read in the layout of <see cref="I2_S"/> whichever of the three the file has.</summary>
/// <param name="path">The file, for error messages.</param>
/// <param name="metadata">Its metadata, which names the layout where Nibble wrote it.</param>
/// <param name="tensors">All its tensors.</param>
/// <param name="data">Gives the bytes of a tensor as they lie in the file.</param>
/// <param name="asked">The layout that the user named.</param>
internal sealed class I2_STensors(string path, Metadata metadata, IReadOnlyList<TensorInfo> tensors, Func<TensorInfo, MemoryRegion> data, I2_SLayout? asked)
{
    /// <summary>Where Nibble says which layout it wrote.</summary>
    public const string LayoutKey = "nibble.i2_s.layout";

    private readonly Lazy<(I2_SLayout? Layout, string Reason)> _choice = new(() => Choose(path, metadata, tensors, data, asked));

    public static bool Is(TensorInfo tensor) => tensor.Format == s_format;

    private static readonly WeightFormat s_format = WeightFormat.Of<I2_S>();

    /// <summary>The layout, or <see langword="null"/> where it is unknown.</summary>
    public I2_SLayout? Layout => _choice.Value.Layout;

    /// <summary>The layout and how it is known, for people.</summary>
    public string Note => _choice.Value.Layout is { } layout ? $"{layout} ({_choice.Value.Reason})" : $"unknown ({_choice.Value.Reason}); name it with --i2s-layout: {I2_SLayout.Names}";

    /// <summary>Whether the layout was concluded rather than said, so that people should be told.</summary>
    public bool IsConcluded => asked is null && !metadata.Contains(LayoutKey) && _choice.Value.Layout is not null;

    /// <summary>Rows in the layout of <see cref="I2_S"/>: where they lie, or in a buffer of their own.</summary>
    /// <exception cref="NibbleException">The layout is unknown, or the tensor is none of I2_S.</exception>
    public MemoryRegion Read(TensorInfo tensor, long firstRow, long rows, bool withTail)
    {
        MemoryRegion all = data(tensor);
        I2_SLayout layout = _choice.Value.Layout
            ?? Throw.BadFile<I2_SLayout>(path, $"tensor {Quoted.Of(tensor.Name)} is I2_S, of which there are three layouts, and which one this file has is {_choice.Value.Reason}; name it with --i2s-layout ({I2_SLayout.Names}); files made on x86 have x86");
        if (tensor.Rows % layout.RowsTogether != 0) Throw.BadFile(path, $"tensor {Quoted.Of(tensor.Name)} has {tensor.Rows} rows, which the I2_S layout {layout} cannot hold; name another with --i2s-layout ({I2_SLayout.Names})");
        int tail = withTail ? s_format.TailBytes : 0;
        if (layout == I2_SLayout.X86) return all.Slice(firstRow * tensor.RowBytes, rows * tensor.RowBytes + tail);

        AlignedBuffer buffer = new(checked(rows * tensor.RowBytes + tail));
        byte[] numbers = new byte[tensor.Columns];
        int rowBytes = (int)tensor.RowBytes;
        for (long row = 0; row < rows; row++)
        {
            layout.Unpack(Together(tensor, all, layout, firstRow + row), (int)((firstRow + row) % layout.RowsTogether), numbers);
            I2_SLayout.X86.Pack(numbers, 0, buffer.AsSpan<byte>(row * rowBytes, rowBytes));
        }
        if (withTail) all.AsSpan<byte>(all.Length - tail, tail).CopyTo(buffer.AsSpan<byte>(rows * rowBytes, tail));
        return buffer.Region;
    }

    /// <summary>The bytes of the rows that share them with <paramref name="row"/>.</summary>
    internal static ReadOnlySpan<byte> Together(TensorInfo tensor, MemoryRegion all, I2_SLayout layout, long row)
    {
        int bytes = checked((int)tensor.RowBytes * layout.RowsTogether);
        return all.AsSpan<byte>(row / layout.RowsTogether * bytes, bytes);
    }

    private static (I2_SLayout? Layout, string Reason) Choose(string path, Metadata metadata, IReadOnlyList<TensorInfo> tensors, Func<TensorInfo, MemoryRegion> data, I2_SLayout? asked)
    {
        foreach (TensorInfo tensor in tensors.Where(Is)) Check(path, tensor, data(tensor));
        if (asked is not null) return (asked, "as --i2s-layout says");
        if (metadata.String(LayoutKey) is not { } name) return new I2_SEvidence(tensors, data).Conclude(metadata.String("general.architecture"));
        return I2_SLayout.TryParse(name, out I2_SLayout? layout)
            ? (layout, "as the metadata says")
            : Throw.BadFile<(I2_SLayout?, string)>(path, $"metadata key '{LayoutKey}' is {Quoted.Of(name)}; known layouts are {I2_SLayout.Names}");
    }

    /// <summary>Refuses what cannot be I2_S in any layout: another type once had its number.</summary>
    private static void Check(string path, TensorInfo tensor, MemoryRegion all)
    {
        const int Looked = 1 << 16;
        float scale = all.AsSpan<float>((all.Length - s_format.TailBytes) / sizeof(float), 1)[0];
        ReadOnlySpan<byte> codes = all.AsSpan<byte>(0, (int)Math.Min(Looked, all.Length - s_format.TailBytes));
        bool isTernary = float.IsFinite(scale) && scale >= 0;
        foreach (byte four in codes) isTernary &= (four & four >> 1 & 0x55) == 0; // no number is 3
        if (!isTernary) Throw.BadFile(path, $"tensor {Quoted.Of(tensor.Name)} is I2_S by its type, but its numbers are not those of ternary weights; the file is damaged, or of an old llama.cpp in which the type was another: download it again");
    }
}
