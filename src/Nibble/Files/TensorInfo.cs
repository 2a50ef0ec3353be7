using Nibble.Formats;

namespace Nibble.Files;

/// <summary>A tensor as a file lists it.</summary>
/// <param name="Name">Its name; GGUF's short form (<c>blk.0.attn_q.weight</c>) once a file is opened as a model.</param>
/// <param name="Dimensions">Sizes with the fastest-running first, as GGUF writes them: <c>[columns, rows, …]</c>; 1 to 4 of them.</param>
/// <param name="TypeName">How the file calls the type of the values.</param>
/// <param name="Format">The format of the values, or <see langword="null"/> where weights cannot be read from it (an integer type, say).</param>
/// <param name="Bytes">Bytes of all values, and of the tail where the format has one.</param>
public sealed record TensorInfo(string Name, IReadOnlyList<long> Dimensions, string TypeName, WeightFormat? Format, long Bytes)
{
    /// <summary>Values in one row.</summary>
    public long Columns => Dimensions[0];

    /// <summary>Rows of all matrices of the tensor.</summary>
    public long Rows => Columns == 0 ? 0 : Count / Columns;

    /// <summary>Values.</summary>
    public long Count { get; } = Dimensions.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Bytes of one row, which the tail does not belong to.</summary>
    public long RowBytes => Rows == 0 ? 0 : (Bytes - (Format?.TailBytes ?? 0)) / Rows;

    public double BitsPerWeight => Count == 0 ? 0 : 8.0 * Bytes / Count;
}
