using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

/// <summary>Sixteen lanes in one register of AVX-512.</summary>
internal readonly struct Lanes16(Vector512<float> values) : ILanes<Lanes16>
{
    private readonly Vector512<float> _values = values;

    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Create(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 CreateBits(int bits) => new(Vector512.Create(bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Load(ReadOnlySpan<float> source)
    {
        Debug.Assert(source.Length >= Count, "a whole vector");
        return new(Vector512.LoadUnsafe(in MemoryMarshal.GetReference(source)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(Span<float> destination)
    {
        Debug.Assert(destination.Length >= Count, "a whole vector");
        _values.StoreUnsafe(ref MemoryMarshal.GetReference(destination));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreBytes(Span<byte> destination)
    {
        Debug.Assert(destination.Length >= Count, "a whole vector");
        Avx512F.ConvertToVector128Byte(Avx512F.ConvertToVector512Int32(_values)).StoreUnsafe(ref MemoryMarshal.GetReference(destination));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator +(Lanes16 left, Lanes16 right) => new(Avx512F.Add(left._values, right._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator -(Lanes16 left, Lanes16 right) => new(Avx512F.Subtract(left._values, right._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator *(Lanes16 left, Lanes16 right) => new(Avx512F.Multiply(left._values, right._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator /(Lanes16 left, Lanes16 right) => new(Avx512F.Divide(left._values, right._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator -(Lanes16 value) => new(value._values ^ Vector512.Create(-0f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator &(Lanes16 left, Lanes16 right) => new(left._values & right._values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator |(Lanes16 left, Lanes16 right) => new(left._values | right._values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator <(Lanes16 left, Lanes16 right) => new(Vector512.LessThan(left._values, right._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator >(Lanes16 left, Lanes16 right) => new(Vector512.GreaterThan(left._values, right._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Equal(Lanes16 left, Lanes16 right) => new(Vector512.Equals(left._values, right._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(Lanes16 mask) => mask._values.ExtractMostSignificantBits() != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(Lanes16 mask) => mask._values.ExtractMostSignificantBits() == 0xffff;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Choose(Lanes16 mask, Lanes16 whereSet, Lanes16 elsewhere) => new(Vector512.ConditionalSelect(mask._values, whereSet._values, elsewhere._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Smaller(Lanes16 left, Lanes16 right) => new(Avx512F.Min(left._values, right._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Larger(Lanes16 left, Lanes16 right) => new(Avx512F.Max(left._values, right._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Abs(Lanes16 value) => new(Vector512.Abs(value._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Sqrt(Lanes16 value) => new(Avx512F.Sqrt(value._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Round(Lanes16 value) => new(Avx512F.RoundScale(value._values, 8));
}
