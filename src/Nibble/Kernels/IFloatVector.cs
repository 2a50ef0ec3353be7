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

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    /// <summary>The larger of each pair; NaN where one is.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>The nearest whole numbers.</summary>
    static abstract TSelf Round(TSelf a);

    /// <summary>These numbers times 2 to the power of <paramref name="exponents"/>, whole numbers from -126 to 127; 0 where the exponent is smaller.</summary>
    TSelf Scaled(TSelf exponents);

    /// <summary>The sum of all numbers.</summary>
    float Sum();

    /// <summary>The largest number.</summary>
    float Largest();

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
    public static Float8 operator +(Float8 a, Float8 b) => new(a._values + b._values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 operator -(Float8 a, Float8 b) => new(a._values - b._values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 Max(Float8 a, Float8 b) => new(Vector256.Max(a._values, b._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 Round(Float8 a) => new(Vector256.Round(a._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Float8 Scaled(Float8 exponents)
    {
        Vector256<int> power = (Vector256.ConvertToInt32Native(exponents._values) + Vector256.Create(127)) << 23;
        return new(Vector256.ConditionalSelect(Vector256.LessThan(exponents._values, Vector256.Create(-126f)), Vector256<float>.Zero, _values * power.AsSingle()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => Vector256.Sum(_values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Largest() => Largest(Vector128.Max(_values.GetLower(), _values.GetUpper()));

    private static float Largest(Vector128<float> four)
    {
        four = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(four[0], four[1]);
    }

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
    public static Float16 operator +(Float16 a, Float16 b) => new(a._values + b._values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float16 operator -(Float16 a, Float16 b) => new(a._values - b._values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float16 Max(Float16 a, Float16 b) => new(Vector512.Max(a._values, b._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float16 Round(Float16 a) => new(Vector512.Round(a._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Float16 Scaled(Float16 exponents)
    {
        Vector512<int> power = (Vector512.ConvertToInt32Native(exponents._values) + Vector512.Create(127)) << 23;
        return new(Vector512.ConditionalSelect(Vector512.LessThan(exponents._values, Vector512.Create(-126f)), Vector512<float>.Zero, _values * power.AsSingle()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => Vector512.Sum(_values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Largest() => new Float8(Vector256.Max(_values.GetLower(), _values.GetUpper())).Largest();

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
