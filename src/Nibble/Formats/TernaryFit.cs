using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

/// <summary>
/// Fits a group of 16 or 32 values by -1, 0 and 1, a shift of ±1/8 that is the same for eight or more of them, and a scale:
/// <c>value = scale * (coordinate - 1 ± 1/8)</c>, where every eight coordinates are a point of a codebook. With three levels the best
/// fit of free coordinates can be found exactly: the values in ascending order are cut in three. It holds the buffers of the
/// search, so one serves a whole row. The order of operations is that of llama.cpp's quantizers: the same input gives the same bytes.
/// </summary>
/// <param name="size">Values of a group.</param>
internal sealed partial class TernaryFit(int size)
{
    private const float Shift = 0.125f;

    private readonly float[] _weights = new float[size];

    /// <summary>The places of the values in ascending order.</summary>
    private readonly int[] _order = new int[size];
    private readonly int[] _coordinates = new int[size], _codes = new int[size / 8];

    /// <summary>The levels of coordinates 0, 1 and 2, shifted up and down; laid out as <see cref="Codebook.Nearest"/> takes them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Levels(bool down) => down
        ? Vector256.Create(-1 - Shift, -Shift, 1 - Shift, 0, -1 - Shift, -Shift, 1 - Shift, 0)
        : Vector256.Create(-1 + Shift, Shift, 1 + Shift, 0, -1 + Shift, Shift, 1 + Shift, 0);

    /// <summary>How much each error counts; to be set before a search.</summary>
    public Span<float> Weights => _weights;

    /// <summary>The index of a chosen point.</summary>
    public int Index(int point) => Codebooks.IQ1.IndexOf(_codes[point]);

    /// <summary>The largest magnitude.</summary>
    public static float Largest(ReadOnlySpan<float> values)
    {
        float largest = MathF.Abs(values[0]);
        foreach (float v in values) largest = largest > MathF.Abs(v) ? largest : MathF.Abs(v);
        return largest;
    }

    /// <summary>Sorts places by value; equal values keep their order.</summary>
    private void Sort(ReadOnlySpan<float> values)
    {
        Vector256<float> areNumbers = Vector256<float>.AllBitsSet;
        for (int i = 0; i < size; i += 8)
        {
            Vector256<float> eight = Vector256.Create(values[i..]);
            areNumbers &= Vector256.Equals(eight, eight);
        }
        if (!Vector256.EqualsAll(areNumbers.AsInt32(), Vector256<int>.AllBitsSet))
        {
            SortAny(values);
            return;
        }
        Span<int> ranks = stackalloc int[8];
        for (int start = 0; start < size; start += 8)
        {
            // A place is how many values are smaller, or as large and before; what holds is -1 in a comparison.
            Vector256<float> eight = Vector256.Create(values[start..]);
            Vector256<int> rank = Vector256<int>.Zero;
            for (int j = 0; j < start; j++) rank -= Vector256.LessThanOrEqual(Vector256.Create(values[j]), eight).AsInt32();
            for (int j = 0; j < 8; j++)
            {
                Vector256<float> other = Vector256.Create(values[start + j]);
                Vector256<int> isAfter = Vector256.GreaterThan(Vector256<int>.Indices, Vector256.Create(j));
                rank -= Vector256.LessThan(other, eight).AsInt32() | Vector256.Equals(other, eight).AsInt32() & isAfter;
            }
            for (int j = start + 8; j < size; j++) rank -= Vector256.LessThan(Vector256.Create(values[j]), eight).AsInt32();
            rank.CopyTo(ranks);
            for (int i = 0; i < 8; i++) _order[ranks[i]] = start + i;
        }
    }

    /// <summary>As <see cref="Sort"/>, where NaN has no place of its own but the one this algorithm leads to.</summary>
    private void SortAny(ReadOnlySpan<float> values)
    {
        for (int i = 0; i < size; i++)
        {
            int j = i;
            for (; j > 0 && values[_order[j - 1]] > values[i]; j--) _order[j] = _order[j - 1];
            _order[j] = i;
        }
    }

    /// <summary>
    /// Gives the values before the first cut coordinate 0, those before the second 1, the rest 2, all mirrored where
    /// <paramref name="isMirrored"/>.
    /// </summary>
    private void Cut(int first, int second, bool isMirrored)
    {
        for (int j = 0; j < size; j++)
        {
            int coordinate = j < first ? 0 : j < second ? 1 : 2;
            _coordinates[_order[j]] = isMirrored ? 2 - coordinate : coordinate;
        }
    }

    /// <summary>Replaces coordinates that are no point of the book, and if there were any returns the best scale for what is there then.</summary>
    /// <param name="values">The group.</param>
    /// <param name="scale">The scale until now.</param>
    /// <param name="isDown">Bit k says that the eight coordinates of point k are shifted down.</param>
    private float ChoosePoints(ReadOnlySpan<float> values, float scale, int isDown)
    {
        bool isInBook = true;
        for (int point = 0; point < _codes.Length; point++)
        {
            int code = 0;
            for (int i = 0; i < 8; i++) code |= _coordinates[point * 8 + i] << 2 * i;
            ReadOnlySpan<ushort> neighbours = Codebooks.IQ1.NeighboursOf(code);
            if (!neighbours.IsEmpty)
            {
                isInBook = false;
                code = Codebooks.IQ1.Nearest(neighbours, values.Slice(point * 8, 8), _weights.AsSpan(point * 8, 8), scale, Levels((isDown >> point & 1) != 0));
            }
            _codes[point] = code;
        }
        if (isInBook) return scale;
        float valueLevel = 0, levelLevel = 0;
        for (int point = 0; point < _codes.Length; point++)
            AddUp(values.Slice(point * 8, 8), _weights.AsSpan(point * 8, 8), _codes[point], (isDown >> point & 1) != 0, 1, ref valueLevel, ref levelLevel);
        return valueLevel > 0 && levelLevel > 0 ? valueLevel / levelLevel : scale;
    }

    /// <summary>Adds weight * level * value and weight * level² of eight values, their levels multiplied by <paramref name="factor"/>.</summary>
    public static void AddUp(
        ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int code, bool isDown, int factor, ref float valueLevel, ref float levelLevel)
    {
        Vector256<float> levels = Levels(isDown);
        for (int i = 0; i < 8; i++)
        {
            float level = levels[Codebooks.IQ1.Coordinate(code, i)] * factor;
            valueLevel += weights[i] * level * values[i];
            levelLevel += weights[i] * level * level;
        }
    }
}
