using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Formats;

/// <summary>Brings groups of values side by side: vector i holds value i of every group, one group per lane.</summary>
internal static class LaneGroups
{
    /// <summary>
    /// Takes the groups from <paramref name="first"/> on; where fewer are left than there are lanes the last one fills the rest.
    /// </summary>
    /// <param name="values">Groups that start every <paramref name="stride"/> values.</param>
    /// <param name="first">The group of lane 0.</param>
    /// <param name="groups">Groups in <paramref name="values"/>.</param>
    /// <param name="stride">Values from the start of a group to that of the next.</param>
    /// <param name="lanes">As many vectors as values are wanted of each group, a multiple of 8.</param>
    public static void Transpose<TLanes>(ReadOnlySpan<float> values, int first, int groups, int stride, Span<TLanes> lanes) where TLanes : unmanaged, ILanes<TLanes>
    {
        Debug.Assert(lanes.Length % 8 == 0 && values.Length >= (groups - 1) * stride + lanes.Length, "whole squares inside the values");
        ref readonly float source = ref Unsafe.Add(ref MemoryMarshal.GetReference(values), first * stride);
        ref float target = ref Unsafe.As<TLanes, float>(ref MemoryMarshal.GetReference(lanes));
        int last = groups - 1 - first;
        for (int lane = 0; lane < TLanes.Count; lane += 8)
            for (int i = 0; i < lanes.Length; i += 8)
                TransposeSquare(in source, stride, i, lane, last, ref Unsafe.Add(ref target, i * TLanes.Count + lane), TLanes.Count);
    }

    /// <summary>Transposes values <paramref name="column"/> to <paramref name="column"/> + 7 of the eight rows from <paramref name="row"/> on; rows after <paramref name="last"/> are copies of that one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeSquare(ref readonly float source, int stride, int column, int row, int last, ref float target, int targetStride)
    {
        if (!Avx.IsSupported)
        {
            for (int r = 0; r < 8; r++)
                for (int c = 0; c < 8; c++) Unsafe.Add(ref target, c * targetStride + r) = Unsafe.Add(ref Unsafe.AsRef(in source), Math.Min(row + r, last) * stride + column + c);
            return;
        }
        // Pairs of rows: a0 b0 a1 b1 | a4 b4 a5 b5, and the same of 2, 3 | 6, 7.
        (Vector256<float> ab01, Vector256<float> ab23) = Interleave(Row(in source, stride, column, row, last), Row(in source, stride, column, row + 1, last));
        (Vector256<float> cd01, Vector256<float> cd23) = Interleave(Row(in source, stride, column, row + 2, last), Row(in source, stride, column, row + 3, last));
        (Vector256<float> ef01, Vector256<float> ef23) = Interleave(Row(in source, stride, column, row + 4, last), Row(in source, stride, column, row + 5, last));
        (Vector256<float> gh01, Vector256<float> gh23) = Interleave(Row(in source, stride, column, row + 6, last), Row(in source, stride, column, row + 7, last));
        Store(Avx.Shuffle(ab01, cd01, 0x44), Avx.Shuffle(ef01, gh01, 0x44), ref target, targetStride);
        Store(Avx.Shuffle(ab01, cd01, 0xee), Avx.Shuffle(ef01, gh01, 0xee), ref Unsafe.Add(ref target, targetStride), targetStride);
        Store(Avx.Shuffle(ab23, cd23, 0x44), Avx.Shuffle(ef23, gh23, 0x44), ref Unsafe.Add(ref target, 2 * targetStride), targetStride);
        Store(Avx.Shuffle(ab23, cd23, 0xee), Avx.Shuffle(ef23, gh23, 0xee), ref Unsafe.Add(ref target, 3 * targetStride), targetStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Row(ref readonly float source, int stride, int column, int row, int last) =>
        Vector256.LoadUnsafe(in source, (nuint)(Math.Min(row, last) * stride + column));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Low, Vector256<float> High) Interleave(Vector256<float> a, Vector256<float> b) => (Avx.UnpackLow(a, b), Avx.UnpackHigh(a, b));

    /// <summary>Of four rows a column in each half: writes the columns of all eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> rows0To3, Vector256<float> rows4To7, ref float target, int targetStride)
    {
        Avx.Permute2x128(rows0To3, rows4To7, 0x20).StoreUnsafe(ref target);
        Avx.Permute2x128(rows0To3, rows4To7, 0x31).StoreUnsafe(ref target, (nuint)(4 * targetStride));
    }
}
