using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

/// <summary>
/// Thirty-two lanes in two registers of AVX-512. A search adds up value after value, and each sum must wait for the one before:
/// with two vectors at a time the processor has something to do meanwhile.
/// </summary>
internal readonly struct Lanes32(Vector512<float> first, Vector512<float> second) : ILanes<Lanes32>
{
    private readonly Vector512<float> _first = first, _second = second;

    public static int Count => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Create(float value) => new(Vector512.Create(value), Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 CreateBits(int bits) => new(Vector512.Create(bits).AsSingle(), Vector512.Create(bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Load(ReadOnlySpan<float> source)
    {
        Debug.Assert(source.Length >= Count, "a whole vector");
        return new(Vector512.LoadUnsafe(in MemoryMarshal.GetReference(source)), Vector512.LoadUnsafe(in MemoryMarshal.GetReference(source), 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(Span<float> destination)
    {
        Debug.Assert(destination.Length >= Count, "a whole vector");
        _first.StoreUnsafe(ref MemoryMarshal.GetReference(destination));
        _second.StoreUnsafe(ref MemoryMarshal.GetReference(destination), 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreBytes(Span<byte> destination)
    {
        Debug.Assert(destination.Length >= Count, "a whole vector");
        Avx512F.ConvertToVector128Byte(Avx512F.ConvertToVector512Int32(_first)).StoreUnsafe(ref MemoryMarshal.GetReference(destination));
        Avx512F.ConvertToVector128Byte(Avx512F.ConvertToVector512Int32(_second)).StoreUnsafe(ref MemoryMarshal.GetReference(destination), 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator +(Lanes32 left, Lanes32 right) => new(Avx512F.Add(left._first, right._first), Avx512F.Add(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator -(Lanes32 left, Lanes32 right) => new(Avx512F.Subtract(left._first, right._first), Avx512F.Subtract(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator *(Lanes32 left, Lanes32 right) => new(Avx512F.Multiply(left._first, right._first), Avx512F.Multiply(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator /(Lanes32 left, Lanes32 right) => new(Avx512F.Divide(left._first, right._first), Avx512F.Divide(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator -(Lanes32 value) => new(value._first ^ Vector512.Create(-0f), value._second ^ Vector512.Create(-0f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator &(Lanes32 left, Lanes32 right) => new(left._first & right._first, left._second & right._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator |(Lanes32 left, Lanes32 right) => new(left._first | right._first, left._second | right._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator <(Lanes32 left, Lanes32 right) => new(Vector512.LessThan(left._first, right._first), Vector512.LessThan(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator >(Lanes32 left, Lanes32 right) => new(Vector512.GreaterThan(left._first, right._first), Vector512.GreaterThan(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Equal(Lanes32 left, Lanes32 right) => new(Vector512.Equals(left._first, right._first), Vector512.Equals(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(Lanes32 mask) => (mask._first | mask._second).ExtractMostSignificantBits() != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(Lanes32 mask) => (mask._first & mask._second).ExtractMostSignificantBits() == 0xffff;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Choose(Lanes32 mask, Lanes32 whereSet, Lanes32 elsewhere) =>
        new(Vector512.ConditionalSelect(mask._first, whereSet._first, elsewhere._first), Vector512.ConditionalSelect(mask._second, whereSet._second, elsewhere._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Smaller(Lanes32 left, Lanes32 right) => new(Avx512F.Min(left._first, right._first), Avx512F.Min(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Larger(Lanes32 left, Lanes32 right) => new(Avx512F.Max(left._first, right._first), Avx512F.Max(left._second, right._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Abs(Lanes32 value) => new(Vector512.Abs(value._first), Vector512.Abs(value._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Sqrt(Lanes32 value) => new(Avx512F.Sqrt(value._first), Avx512F.Sqrt(value._second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Round(Lanes32 value) => new(Avx512F.RoundScale(value._first, 8), Avx512F.RoundScale(value._second, 8));
}
