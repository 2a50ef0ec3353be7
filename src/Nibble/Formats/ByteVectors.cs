using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

/// <summary>
/// What blocks are taken apart with and the framework's portable vectors lack. Vectors of 256 bits are one register with AVX2, and two on
/// Arm; a condition on the processor is folded by the JIT.
/// </summary>
internal static class ByteVectors
{
    /// <summary>In each half of the vector, the bytes of <paramref name="tables"/> at <paramref name="indices"/> 0 … 15.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Lookup(Vector256<byte> tables, Vector256<byte> indices) => Avx2.IsSupported
        ? Avx2.Shuffle(tables, indices)
        : Vector256.Create(Vector128.Shuffle(tables.GetLower(), indices.GetLower()), Vector128.Shuffle(tables.GetUpper(), indices.GetUpper()));

    /// <inheritdoc cref="Lookup(Vector256{byte}, Vector256{byte})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Lookup(Vector256<sbyte> tables, Vector256<byte> indices) => Lookup(tables.AsByte(), indices).AsSByte();

    /// <summary>Numbers with the signs of <paramref name="signs"/>, which are 1 and -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Signed(Vector256<sbyte> numbers, Vector256<sbyte> signs) => Avx2.IsSupported ? Avx2.Sign(numbers, signs) : numbers * signs;

    /// <summary>The lower eight bytes as 32-bit numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> WidenLowerEight(Vector128<sbyte> bytes)
    {
        if (Avx2.IsSupported) return Avx2.ConvertToVector256Int32(bytes);
        Vector128<short> shorts = Vector128.WidenLower(bytes);
        return Vector256.Create(Vector128.WidenLower(shorts), Vector128.WidenUpper(shorts));
    }

    /// <inheritdoc cref="WidenLowerEight(Vector128{sbyte})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> WidenLowerEight(Vector128<byte> bytes)
    {
        if (Avx2.IsSupported) return Avx2.ConvertToVector256Int32(bytes);
        Vector128<ushort> shorts = Vector128.WidenLower(bytes);
        return Vector256.Create(Vector128.WidenLower(shorts), Vector128.WidenUpper(shorts)).AsInt32();
    }

    /// <summary>Sixteen bytes as 16-bit numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Widen(Vector128<byte> bytes) => Avx2.IsSupported
        ? Avx2.ConvertToVector256Int16(bytes)
        : Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes)).AsInt16();

    /// <summary>The low bytes of sixteen numbers that fit a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Narrow(Vector128<short> first, Vector128<short> second) =>
        Sse2.IsSupported ? Sse2.PackSignedSaturate(first, second) : Vector128.Narrow(first, second);

    /// <summary>The upper eight bytes, twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> UpperEight<T>(Vector128<T> bytes) => Vector128.Create(bytes.GetUpper(), bytes.GetUpper());

    /// <summary>Numbers of the lower halves in turn: a0 b0 a1 b1 …</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> InterleaveLower(Vector128<byte> a, Vector128<byte> b) => Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    /// <summary>Numbers of the upper halves in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> InterleaveUpper(Vector128<byte> a, Vector128<byte> b) => Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);

    /// <inheritdoc cref="InterleaveLower(Vector128{byte}, Vector128{byte})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> InterleaveLower(Vector128<uint> a, Vector128<uint> b) => Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    /// <inheritdoc cref="InterleaveLower(Vector128{byte}, Vector128{byte})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> InterleaveLower(Vector128<ulong> a, Vector128<ulong> b) => Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    /// <inheritdoc cref="InterleaveUpper(Vector128{byte}, Vector128{byte})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> InterleaveUpper(Vector128<ulong> a, Vector128<ulong> b) => Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);

    /// <summary>The mean of each two bytes, halves rounded up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Average(Vector256<byte> a, Vector256<byte> b) => Avx2.IsSupported
        ? Avx2.Average(a, b)
        : Vector256.Create(AdvSimd.FusedAddRoundedHalving(a.GetLower(), b.GetLower()), AdvSimd.FusedAddRoundedHalving(a.GetUpper(), b.GetUpper()));
}
