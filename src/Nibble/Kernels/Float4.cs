using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Kernels;

/// <summary>Four numbers, for Arm.</summary>
internal readonly unsafe struct Float4(Vector128<float> values) : IFloatVector<Float4>
{
    private readonly Vector128<float> _values = values;

    public static int Count => Vector128<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 MultiplyAdd(Float4 a, Float4 b, Float4 c) => new(Vector128.MultiplyAddEstimate(a._values, b._values, c._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 operator *(Float4 a, Float4 b) => new(a._values * b._values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 operator +(Float4 a, Float4 b) => new(a._values + b._values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 operator -(Float4 a, Float4 b) => new(a._values - b._values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Max(Float4 a, Float4 b) => new(Vector128.Max(a._values, b._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Round(Float4 a) => new(Vector128.Round(a._values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Float4 Scaled(Float4 exponents)
    {
        Vector128<int> power = (Vector128.ConvertToInt32Native(exponents._values) + Vector128.Create(127)) << 23;
        return new(Vector128.ConditionalSelect(Vector128.LessThan(exponents._values, Vector128.Create(-126f)), Vector128<float>.Zero, _values * power.AsSingle()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => Vector128.Sum(_values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Largest()
    {
        Vector128<float> pairs = Vector128.Max(_values, Vector128.Shuffle(_values, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(pairs[0], pairs[1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Float4 RoundedToHalf()
    {
        Vector128<uint> bits = _values.AsUInt32();
        Vector128<uint> odd = Vector128.ShiftRightLogical(bits, 13) & Vector128<uint>.One;
        return new(((bits + odd + Vector128.Create(0x0fffu)) & Vector128.Create(~0x1fffu)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target) => _values.Store(target);
}
