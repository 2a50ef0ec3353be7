using System.Numerics;

namespace Nibble.Formats;

/// <summary>
/// Single-precision numbers side by side, one group of values in each lane. A search written in terms of this does to every
/// lane exactly what the scalar search does to its group, in the same order, so the results are the same bits.
/// What would be a branch becomes a choice per lane: a comparison gives a mask, all bits set where it holds, for <see cref="Choose"/>.
/// </summary>
internal interface ILanes<TSelf> :
    IAdditionOperators<TSelf, TSelf, TSelf>,
    ISubtractionOperators<TSelf, TSelf, TSelf>,
    IMultiplyOperators<TSelf, TSelf, TSelf>,
    IDivisionOperators<TSelf, TSelf, TSelf>,
    IUnaryNegationOperators<TSelf, TSelf>
    where TSelf : unmanaged, ILanes<TSelf>
{
    /// <summary>Lanes of one vector.</summary>
    static abstract int Count { get; }

    /// <summary>The same number in every lane.</summary>
    static abstract TSelf Create(float value);

    /// <summary>The same bits in every lane.</summary>
    static abstract TSelf CreateBits(int bits);

    /// <summary>The first <see cref="Count"/> of <paramref name="source"/>, which must have that many.</summary>
    static abstract TSelf Load(ReadOnlySpan<float> source);

    /// <summary>Writes every lane; <paramref name="destination"/> must have room for <see cref="Count"/>.</summary>
    void Store(Span<float> destination);

    /// <summary>Writes lanes that hold whole numbers 0 … 255 as bytes; <paramref name="destination"/> must have room for <see cref="Count"/>.</summary>
    void StoreBytes(Span<byte> destination);

    static abstract TSelf operator &(TSelf left, TSelf right);

    static abstract TSelf operator |(TSelf left, TSelf right);

    /// <summary>The mask of the lanes in which <paramref name="left"/> is smaller, which NaN never is.</summary>
    static abstract TSelf operator <(TSelf left, TSelf right);

    /// <summary>The mask of the lanes in which <paramref name="left"/> is larger, which NaN never is.</summary>
    static abstract TSelf operator >(TSelf left, TSelf right);

    /// <summary>The mask of the lanes in which both are equal, which NaN never is.</summary>
    static abstract TSelf Equal(TSelf left, TSelf right);

    /// <summary>Whether any lane of a mask is set.</summary>
    static abstract bool Any(TSelf mask);

    /// <summary>Whether every lane of a mask is set.</summary>
    static abstract bool All(TSelf mask);

    /// <summary><paramref name="whereSet"/> in the lanes of the mask that are set, <paramref name="elsewhere"/> in the others.</summary>
    static abstract TSelf Choose(TSelf mask, TSelf whereSet, TSelf elsewhere);

    /// <summary><c>left &lt; right ? left : right</c>: the second where they are equal or one is NaN.</summary>
    static abstract TSelf Smaller(TSelf left, TSelf right);

    /// <summary><c>left &gt; right ? left : right</c>: the second where they are equal or one is NaN.</summary>
    static abstract TSelf Larger(TSelf left, TSelf right);

    static abstract TSelf Abs(TSelf value);

    static abstract TSelf Sqrt(TSelf value);

    /// <summary>The nearest whole number, halves to the even one.</summary>
    static abstract TSelf Round(TSelf value);
}
