using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

/// <summary>Sums of products of bytes. VPMADDUBSW multiplies unsigned by signed bytes and adds neighbours to 16 bits.</summary>
internal static class Products
{
    /// <summary>Eight sums of four products of unsigned and signed bytes; exact while two neighbours stay within 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> UnsignedSigned(Vector256<byte> weights, Vector256<sbyte> activations) =>
        Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(weights, activations), Vector256<short>.One);

    /// <summary>
    /// Eight sums of four products of signed bytes, the second -127 … 127: |w| times x with the sign of w. At most
    /// 2 * 128 * 127 = 32,512 a pair, so nothing saturates.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> SignedSigned(Vector256<sbyte> weights, Vector256<sbyte> activations) =>
        UnsignedSigned(Avx2.Abs(weights), Avx2.Sign(activations, weights));

    /// <summary>As <see cref="UnsignedSigned"/>, each sum of two products multiplied by the 16-bit scale in its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Scaled(Vector256<byte> weights, Vector256<sbyte> activations, Vector256<short> scales) =>
        Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(weights, activations), scales);

    /// <summary>As <see cref="SignedSigned"/>, each sum of two products multiplied by the 16-bit scale in its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> SignedScaled(Vector256<sbyte> weights, Vector256<sbyte> activations, Vector256<short> scales) =>
        Scaled(Avx2.Abs(weights), Avx2.Sign(activations, weights), scales);

    /// <summary>In each half of the vector, number <paramref name="index"/> (0 … 7) of that half, eight times.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Repeat(Vector256<short> scales, int index) =>
        Avx2.Shuffle(scales.AsByte(), Vector256.Create((ushort)(0x0100 + 0x0202 * index)).AsByte()).AsInt16();

    /// <summary>
    /// Sixteen bytes as 16-bit numbers, those at even places in the lower half of the vector: <see cref="Repeat"/> then gives
    /// the scales of two neighbouring groups of 16 weights.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> EvenThenOdd(Vector128<sbyte> scales) =>
        Avx2.ConvertToVector256Int16(Vector128.Shuffle(scales, Vector128.Create(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15)));

    /// <summary>total + scale * sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddScaled(Vector256<float> total, float scale, Vector256<int> sums) =>
        Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(sums), Vector256.Create(scale), total);
}
