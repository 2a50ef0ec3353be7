using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Kernels;

/// <summary>Single-precision numbers in one register, so that a kernel is written once for every width.</summary>
internal unsafe interface IFloatVector<TSelf> where TSelf : unmanaged, IFloatVector<TSelf>
{
    /// <summary>Numbers in a register.</summary>
    static abstract int Count { get; }

    static abstract TSelf Load(float* source);

    /// <summary>The same number everywhere.</summary>
    static abstract TSelf Broadcast(float value);

    /// <summary><c>a * b + c</c>.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    static abstract TSelf operator *(TSelf a, TSelf b);

    /// <summary>Rounded to the 11 significant bits of half precision, ties to even. Below 2^-14, where half precision has fewer, all 11 stay.</summary>
    TSelf RoundedToHalf();

    void Store(float* target);
}

/// <summary>Eight numbers.</summary>
internal readonly unsafe struct Float8(Vector256<float> values) : IFloatVector<Float8>
{
    private readonly Vector256<float> _values = values;

    public static int Count => Vector256<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 MultiplyAdd(Float8 a, Float8 b, Float8 c) => new(Vector256.MultiplyAddEstimate(a._values, b._values, c._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 operator *(Float8 a, Float8 b) => new(a._values * b._values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Float8 RoundedToHalf()
    {
        Vector256<uint> bits = _values.AsUInt32();
        Vector256<uint> odd = Vector256.ShiftRightLogical(bits, 13) & Vector256<uint>.One;
        return new(((bits + odd + Vector256.Create(0x0fffu)) & Vector256.Create(~0x1fffu)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target) => _values.Store(target);
}

/// <summary>Sixteen numbers, where the processor has <see cref="Avx512F"/>.</summary>
internal readonly unsafe struct Float16(Vector512<float> values) : IFloatVector<Float16>
{
    private readonly Vector512<float> _values = values;

    public static int Count => Vector512<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float16 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float16 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float16 MultiplyAdd(Float16 a, Float16 b, Float16 c) => new(Avx512F.FusedMultiplyAdd(a._values, b._values, c._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float16 operator *(Float16 a, Float16 b) => new(a._values * b._values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Float16 RoundedToHalf()
    {
        Vector512<uint> bits = _values.AsUInt32();
        Vector512<uint> odd = Vector512.ShiftRightLogical(bits, 13) & Vector512<uint>.One;
        return new(((bits + odd + Vector512.Create(0x0fffu)) & Vector512.Create(~0x1fffu)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target) => _values.Store(target);
}
