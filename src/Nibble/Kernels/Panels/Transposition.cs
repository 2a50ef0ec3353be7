using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Nibble.Formats;

namespace Nibble.Kernels.Panels;

/// <summary>Turns rows of bytes into columns of four bytes, so that each lane of a vector is a row.</summary>
internal static unsafe class Transposition
{
    /// <summary>Transposes an 8 by 8 matrix of groups of four bytes.</summary>
    /// <param name="source">The first of 8 rows of 32 bytes.</param>
    /// <param name="sourceStride">Bytes from one row to the next.</param>
    /// <param name="bias">Added to every byte, modulo 256.</param>
    /// <param name="target">Group g of row r becomes group r of the row at <c>target + g * targetStride</c>.</param>
    /// <param name="targetStride">Bytes from one row of the result to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EightByEight(byte* source, long sourceStride, byte bias, byte* target, long targetStride)
    {
        if (AdvSimd.Arm64.IsSupported)
        {
            for (int row = 0; row < 8; row += 4)
                for (int group = 0; group < 8; group += 4) FourByFour(source + row * sourceStride + group * 4, sourceStride, bias, target + group * targetStride + row * 4, targetStride);
            return;
        }
        Vector256<byte> added = Vector256.Create(bias);
        Vector256<int> r0 = Row(0), r1 = Row(1), r2 = Row(2), r3 = Row(3), r4 = Row(4), r5 = Row(5), r6 = Row(6), r7 = Row(7);
        // Each step doubles the number of rows whose groups lie together: pairs, then fours, then all eight.
        Vector256<long> a0 = Avx2.UnpackLow(r0, r1).AsInt64(), a1 = Avx2.UnpackHigh(r0, r1).AsInt64();
        Vector256<long> a2 = Avx2.UnpackLow(r2, r3).AsInt64(), a3 = Avx2.UnpackHigh(r2, r3).AsInt64();
        Vector256<long> a4 = Avx2.UnpackLow(r4, r5).AsInt64(), a5 = Avx2.UnpackHigh(r4, r5).AsInt64();
        Vector256<long> a6 = Avx2.UnpackLow(r6, r7).AsInt64(), a7 = Avx2.UnpackHigh(r6, r7).AsInt64();
        Vector256<long> b0 = Avx2.UnpackLow(a0, a2), b1 = Avx2.UnpackHigh(a0, a2), b2 = Avx2.UnpackLow(a1, a3), b3 = Avx2.UnpackHigh(a1, a3);
        Vector256<long> b4 = Avx2.UnpackLow(a4, a6), b5 = Avx2.UnpackHigh(a4, a6), b6 = Avx2.UnpackLow(a5, a7), b7 = Avx2.UnpackHigh(a5, a7);
        Put(0, Avx2.Permute2x128(b0, b4, 0x20));
        Put(1, Avx2.Permute2x128(b1, b5, 0x20));
        Put(2, Avx2.Permute2x128(b2, b6, 0x20));
        Put(3, Avx2.Permute2x128(b3, b7, 0x20));
        Put(4, Avx2.Permute2x128(b0, b4, 0x31));
        Put(5, Avx2.Permute2x128(b1, b5, 0x31));
        Put(6, Avx2.Permute2x128(b2, b6, 0x31));
        Put(7, Avx2.Permute2x128(b3, b7, 0x31));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector256<int> Row(int row) => (Vector256.Load(source + row * sourceStride) + added).AsInt32();

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        void Put(int group, Vector256<long> rows) => rows.AsByte().Store(target + group * targetStride);
    }

    /// <summary>As <see cref="EightByEight"/>, a quarter of it, on Arm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourByFour(byte* source, long sourceStride, byte bias, byte* target, long targetStride)
    {
        Vector128<byte> added = Vector128.Create(bias);
        Vector128<int> r0 = Row(0), r1 = Row(1), r2 = Row(2), r3 = Row(3);
        Vector128<int> even = AdvSimd.Arm64.ZipLow(r0, r2), odd = AdvSimd.Arm64.ZipLow(r1, r3);
        Put(0, AdvSimd.Arm64.ZipLow(even, odd));
        Put(1, AdvSimd.Arm64.ZipHigh(even, odd));
        (even, odd) = (AdvSimd.Arm64.ZipHigh(r0, r2), AdvSimd.Arm64.ZipHigh(r1, r3));
        Put(2, AdvSimd.Arm64.ZipLow(even, odd));
        Put(3, AdvSimd.Arm64.ZipHigh(even, odd));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector128<int> Row(int row) => (Vector128.Load(source + row * sourceStride) + added).AsInt32();

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        void Put(int group, Vector128<int> rows) => rows.AsByte().Store(target + group * targetStride);
    }

    /// <summary>Transposes 16 rows of bytes into rows of 16.</summary>
    /// <param name="source">The first of 16 rows of 16 bytes.</param>
    /// <param name="sourceStride">Bytes from one row to the next.</param>
    /// <param name="scratch">512 bytes to work in.</param>
    /// <param name="target">Byte c of row r becomes byte r of row c.</param>
    /// <param name="count">How many bytes of each row to take.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Bytes16(byte* source, long sourceStride, byte* scratch, byte* target, int count)
    {
        const int Rows = 16;
        Vector128<byte>* from = (Vector128<byte>*)scratch, to = from + Rows;
        for (int r = 0; r < Rows; r++) from[r] = Vector128.Load(source + r * sourceStride);
        // Shuffled like a pack of cards, four times: each time the bits of a byte's place move on by one, until row and column have changed places.
        for (int round = 0; round < 4; round++)
        {
            for (int r = 0; r < Rows / 2; r++)
            {
                to[2 * r] = ByteVectors.InterleaveLower(from[r], from[r + Rows / 2]);
                to[2 * r + 1] = ByteVectors.InterleaveUpper(from[r], from[r + Rows / 2]);
            }
            Vector128<byte>* done = to;
            to = from;
            from = done;
        }
        for (int c = 0; c < count; c++) from[c].Store(target + c * Rows);
    }
}
