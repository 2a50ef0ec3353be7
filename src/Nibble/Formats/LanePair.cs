using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>
/// Twice as many lanes. A search adds up value after value, and each sum must wait for the one before: with two vectors at a
/// time the processor has something to do meanwhile.
/// </summary>
internal readonly struct LanePair<TLanes>(TLanes first, TLanes second) : ILanes<LanePair<TLanes>> where TLanes : unmanaged, ILanes<TLanes>
{
    private readonly TLanes _first = first, _second = second;

    public static int Count => 2 * TLanes.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> Create(float value) => new(TLanes.Create(value), TLanes.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> CreateBits(int bits) => new(TLanes.CreateBits(bits), TLanes.CreateBits(bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> Load(ReadOnlySpan<float> source) => new(TLanes.Load(source), TLanes.Load(source[TLanes.Count..]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(Span<float> destination)
    {
        _first.Store(destination);
        _second.Store(destination[TLanes.Count..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreBytes(Span<byte> destination)
    {
        _first.StoreBytes(destination);
        _second.StoreBytes(destination[TLanes.Count..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(LanePair<TLanes> mask) => TLanes.Any(mask._first | mask._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(LanePair<TLanes> mask) => TLanes.All(mask._first & mask._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> Choose(LanePair<TLanes> mask, LanePair<TLanes> whereSet, LanePair<TLanes> elsewhere) =>
        new(TLanes.Choose(mask._first, whereSet._first, elsewhere._first), TLanes.Choose(mask._second, whereSet._second, elsewhere._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> operator +(LanePair<TLanes> left, LanePair<TLanes> right) => new(left._first + right._first, left._second + right._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> operator -(LanePair<TLanes> left, LanePair<TLanes> right) => new(left._first - right._first, left._second - right._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> operator *(LanePair<TLanes> left, LanePair<TLanes> right) => new(left._first * right._first, left._second * right._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> operator /(LanePair<TLanes> left, LanePair<TLanes> right) => new(left._first / right._first, left._second / right._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> operator &(LanePair<TLanes> left, LanePair<TLanes> right) => new(left._first & right._first, left._second & right._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> operator |(LanePair<TLanes> left, LanePair<TLanes> right) => new(left._first | right._first, left._second | right._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> operator -(LanePair<TLanes> value) => new(-value._first, -value._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> operator <(LanePair<TLanes> left, LanePair<TLanes> right) => new(left._first < right._first, left._second < right._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> operator >(LanePair<TLanes> left, LanePair<TLanes> right) => new(left._first > right._first, left._second > right._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> Equal(LanePair<TLanes> left, LanePair<TLanes> right) => new(TLanes.Equal(left._first, right._first), TLanes.Equal(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> Smaller(LanePair<TLanes> left, LanePair<TLanes> right) => new(TLanes.Smaller(left._first, right._first), TLanes.Smaller(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> Larger(LanePair<TLanes> left, LanePair<TLanes> right) => new(TLanes.Larger(left._first, right._first), TLanes.Larger(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> Abs(LanePair<TLanes> value) => new(TLanes.Abs(value._first), TLanes.Abs(value._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> Sqrt(LanePair<TLanes> value) => new(TLanes.Sqrt(value._first), TLanes.Sqrt(value._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LanePair<TLanes> Round(LanePair<TLanes> value) => new(TLanes.Round(value._first), TLanes.Round(value._second));
}
