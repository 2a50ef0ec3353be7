using Nibble.Files;
using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Quantization;

/// <summary>The values of a tensor in a file, read row by row, so that it need not fit into memory.</summary>
internal sealed class StoredValues(ModelFile file, TensorInfo tensor, ReadOnlyMemory<byte> tail, TensorImportance importance) : ITensorValues
{
    public long Rows => tensor.Rows;

    public int Columns => checked((int)tensor.Columns);

    public void Read(long row, Span<float> values)
    {
        MemoryRegion data = file.Read(tensor, row, 1);
        tensor.Format!.Dequantize(data.AsSpan<byte>(), tail.Span, values);
        file.Release(data);
    }

    public ReadOnlySpan<float> ImportanceOf(long row) => importance.At(row).Span;
}
