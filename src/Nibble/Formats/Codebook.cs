using System.Numerics;

namespace Nibble.Formats;

/// <summary>
/// Points of four or eight small whole coordinates, of which a format stores the index of one for every four or eight weights.
/// A point is written as a code: coordinate i, 0 … Levels - 1, in bits <c>Bits * (i + 1) - 1</c> to <c>Bits * i</c>.
/// </summary>
internal sealed partial class Codebook
{
    /// <summary>The codes of the points, ascending, by index.</summary>
    private readonly ushort[] _codes;

    /// <summary>By code the index of the point, or -1.</summary>
    private readonly short[] _indices;

    /// <summary>How many distances make a neighbour.</summary>
    private readonly int _shells;

    /// <param name="dimensions">Coordinates of a point.</param>
    /// <param name="levels">Values of a coordinate.</param>
    /// <param name="shells">How many of the distances that occur make a point a neighbour; see <see cref="Nearest"/>.</param>
    /// <param name="members">A bitmap of the points, in base 64.</param>
    private Codebook(int dimensions, int levels, int shells, string members)
    {
        Dimensions = dimensions;
        Levels = levels;
        Bits = BitOperations.Log2((uint)levels - 1) + 1;
        byte[] bitmap = Convert.FromBase64String(members);
        _codes = [.. Enumerable.Range(0, (int)Math.Pow(levels, dimensions)).Where(n => (bitmap[n / 8] >> n % 8 & 1) != 0).Select(Code)];
        _indices = new short[1 << Bits * dimensions];
        Array.Fill(_indices, (short)-1);
        for (int i = 0; i < _codes.Length; i++) _indices[_codes[i]] = (short)i;
        _shells = shells;
    }

    /// <summary>Points of eight coordinates 0 … 2.</summary>
    public static Codebook OfEight(int shells, string members) => new(dimensions: 8, levels: 3, shells, members);

    /// <summary>Points of four coordinates 0 … 7.</summary>
    public static Codebook OfFour(int shells, string members) => new(dimensions: 4, levels: 8, shells, members);

    public int Dimensions { get; }

    public int Levels { get; }

    public int Bits { get; }

    /// <summary>The code of a point.</summary>
    public int CodeOf(int index) => _codes[index];

    /// <summary>The index of the point with this code, or -1.</summary>
    public int IndexOf(int code) => _indices[code];

    /// <summary>The points in eight bytes each, the first coordinate lowest, with <paramref name="levels"/> for the coordinates.</summary>
    public ulong[] InBytes(params ReadOnlySpan<sbyte> levels)
    {
        ulong[] points = new ulong[_codes.Length];
        for (int p = 0; p < points.Length; p++)
            for (int i = 0; i < Dimensions; i++) points[p] |= (ulong)(byte)levels[Coordinate(_codes[p], i)] << 8 * i;
        return points;
    }

    /// <summary>As <see cref="InBytes"/> where points have four coordinates.</summary>
    public uint[] InFourBytes(params ReadOnlySpan<sbyte> levels) => Array.ConvertAll(InBytes(levels), p => (uint)p);

    public int Coordinate(int code, int i) => code >> Bits * i & (1 << Bits) - 1;

    private ushort Code(int number)
    {
        int code = 0;
        for (int i = 0; i < Dimensions; i++, number /= Levels) code |= number % Levels << Bits * i;
        return (ushort)code;
    }
}
