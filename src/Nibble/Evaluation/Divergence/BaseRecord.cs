using System.Runtime.CompilerServices;

namespace Nibble.Evaluation.Divergence;

/// <summary>
/// What a base file keeps of one distribution, at a place in memory; little-endian, without gaps:
/// <c>logarithm:f32 rest:f32 id[kept] logarithm:u16[kept]</c>, where an id has 2 bytes, or 4 where the vocabulary has more than 65,536 tokens.
/// </summary>
internal readonly unsafe struct BaseRecord(byte* start, BaseHeader header)
{
    /// <summary>Steps of a logarithm to 1: 16 bits hold 0 to -32.</summary>
    private const double Steps = 2048;

    /// <summary>The natural logarithm of the probability of the text's token.</summary>
    public float TokenLogarithm
    {
        get => Unsafe.ReadUnaligned<float>(start);
        set => Unsafe.WriteUnaligned(start, value);
    }

    /// <summary>The probability of all tokens that are not among the likeliest kept.</summary>
    public float Rest
    {
        get => Unsafe.ReadUnaligned<float>(start + sizeof(float));
        set => Unsafe.WriteUnaligned(start + sizeof(float), value);
    }

    /// <summary>A token that is kept: the likeliest first, in falling order, then those drawn from the rest.</summary>
    public int Id(int index) => header.IdBytes == sizeof(ushort) ? Unsafe.ReadUnaligned<ushort>(IdAt(index)) : (int)Math.Min(int.MaxValue, Unsafe.ReadUnaligned<uint>(IdAt(index)));

    /// <summary>The natural logarithm of its probability, to 1/4096.</summary>
    public double Logarithm(int index) => Unsafe.ReadUnaligned<ushort>(LogarithmAt(index)) / -Steps;

    public void Set(int index, int id, double logarithm)
    {
        if (header.IdBytes == sizeof(ushort)) Unsafe.WriteUnaligned(IdAt(index), (ushort)id);
        else Unsafe.WriteUnaligned(IdAt(index), (uint)id);
        Unsafe.WriteUnaligned(LogarithmAt(index), (ushort)Math.Clamp(Math.Round(-logarithm * Steps), 0, ushort.MaxValue));
    }

    private byte* IdAt(int index) => start + BaseHeader.FixedBytes + index * header.IdBytes;

    private byte* LogarithmAt(int index) => start + BaseHeader.FixedBytes + header.Kept * header.IdBytes + index * BaseHeader.LogarithmBytes;
}
