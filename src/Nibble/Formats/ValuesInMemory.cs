namespace Nibble.Formats;

/// <summary>A tensor that lies in memory, to be looked through.</summary>
/// <param name="values"><c>[Rows, Columns]</c></param>
/// <param name="importance"><c>[Columns]</c>, or empty for none; then all values count as one row.</param>
internal sealed class ValuesInMemory(float[] values, float[] importance) : ITensorValues
{
    public int Columns { get; } = importance.Length == 0 ? values.Length : importance.Length;

    public long Rows => Columns == 0 ? 0 : values.Length / Columns;

    public void Read(long row, Span<float> destination) => values.AsSpan(checked((int)(row * Columns)), Columns).CopyTo(destination);

    public ReadOnlySpan<float> ImportanceOf(long row) => importance;
}
