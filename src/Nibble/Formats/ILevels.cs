using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

/// <summary>A weight format whose blocks vectors take apart into whole numbers, and scales and offsets for groups of them.</summary>
internal interface ILevels<TSelf> : IBlock<TSelf> where TSelf : unmanaged, ILevels<TSelf>
{
    /// <summary>Weights that share a scale, a multiple of 16.</summary>
    static abstract int GroupSize { get; }

    /// <summary>Whether something is added to what the scale gives.</summary>
    static virtual bool HasOffsets => false;

    /// <summary>Whether scales are powers of two, of which half precision lacks many.</summary>
    static virtual bool HasPowersOfTwo => false;

    /// <summary>Which numbers there are, and how few bits tell them apart.</summary>
    static abstract LevelCoding Coding { get; }

    /// <summary>Fills in a block's numbers, scales and, where there are any, offsets: w = scale * number + offset.</summary>
    static abstract void Unpack(in TSelf block, ref Levels levels);
}

/// <summary>A block taken apart, on its way from a few bits a weight to single precision.</summary>
internal struct Levels
{
    public SByte256 Numbers;
    public Single16 Scales;
    public Single16 Offsets;

    /// <summary>Of blocks of 256: the scales are multiples of this.</summary>
    public float Unit;

    /// <summary>Of blocks of 256: the offsets are multiples of this.</summary>
    public float OffsetUnit;

    public SByte16 Multiples;
    public SByte16 OffsetMultiples;

    /// <summary>Sets 32 numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int start, Vector256<sbyte> numbers) => numbers.StoreUnsafe(ref Numbers[0], (nuint)start);

    /// <summary>Sets the scales of sixteen groups to multiples of <paramref name="unit"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PutScales(float unit, Vector128<sbyte> multiples)
    {
        Unit = unit;
        multiples.StoreUnsafe(ref Multiples[0]);
        Put(ref Scales[0], unit, multiples);
    }

    /// <summary>Sets the scale of one group to a multiple of <paramref name="unit"/>, which is the same for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PutScale(int group, float unit, int multiple)
    {
        Unit = unit;
        Multiples[group] = (sbyte)multiple;
        Scales[group] = unit * multiple;
    }

    /// <summary>As <see cref="PutScales(float, Vector128{sbyte})"/>, the multiples of even groups in the lower half of the vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PutScales(float unit, Vector256<short> evenThenOdd)
    {
        Vector128<byte> bytes = ByteVectors.Narrow(evenThenOdd.GetLower(), evenThenOdd.GetUpper()).AsByte();
        PutScales(unit, ByteVectors.InterleaveLower(bytes, ByteVectors.UpperEight(bytes)).AsSByte());
    }

    /// <summary>Sets the offsets of sixteen groups to multiples of <paramref name="unit"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PutOffsets(float unit, Vector128<sbyte> multiples)
    {
        OffsetUnit = unit;
        multiples.StoreUnsafe(ref OffsetMultiples[0]);
        Put(ref Offsets[0], unit, multiples);
    }

    /// <summary>Sets the scales and the offsets of eight groups to multiples of two units, those of the offsets in the upper half of the vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PutScalesAndOffsets(float scale, float offset, Vector128<byte> multiples)
    {
        (Unit, OffsetUnit) = (scale, offset);
        multiples.AsSByte().StoreUnsafe(ref Multiples[0]);
        ByteVectors.UpperEight(multiples.AsSByte()).StoreUnsafe(ref OffsetMultiples[0]);
        (Vector256.ConvertToSingle(ByteVectors.WidenLowerEight(multiples)) * scale).StoreUnsafe(ref Scales[0]);
        (Vector256.ConvertToSingle(ByteVectors.WidenLowerEight(ByteVectors.UpperEight(multiples))) * offset).StoreUnsafe(ref Offsets[0]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(ref float target, float unit, Vector128<sbyte> multiples)
    {
        (Vector256.ConvertToSingle(ByteVectors.WidenLowerEight(multiples)) * unit).StoreUnsafe(ref target);
        (Vector256.ConvertToSingle(ByteVectors.WidenLowerEight(ByteVectors.UpperEight(multiples))) * unit).StoreUnsafe(ref target, 8);
    }
}

/// <summary>From blocks to single precision.</summary>
internal static class LevelValues
{
    /// <summary>
    /// The values of blocks, each by the one multiplication and the one addition of the scalar code. The numbers go by way of memory,
    /// from where an instruction loads and widens eight at once. Compiled at once as well as can be: a short run would spend half its time
    /// in worse code.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize<TWeight>(ReadOnlySpan<TWeight> blocks, Span<float> destination) where TWeight : unmanaged, ILevels<TWeight>
    {
        Debug.Assert(TWeight.BlockSize <= 256 && TWeight.BlockSize % TWeight.GroupSize == 0 && TWeight.BlockSize / TWeight.GroupSize <= 16, "a block fits");
        ref float target = ref MemoryMarshal.GetReference(destination[..(blocks.Length * TWeight.BlockSize)]);
        Levels levels = default;
        for (int b = 0; b < blocks.Length; b++)
        {
            TWeight.Unpack(in blocks[b], ref levels);
            ref sbyte numbers = ref levels.Numbers[0];
            ref float scales = ref levels.Scales[0], offsets = ref levels.Offsets[0];
            for (int g = 0; g < TWeight.BlockSize / TWeight.GroupSize; g++)
            {
                Vector256<float> scale = Vector256.Create(Unsafe.Add(ref scales, g));
                Vector256<float> offset = TWeight.HasOffsets ? Vector256.Create(Unsafe.Add(ref offsets, g)) : default;
                for (int i = 0; i < TWeight.GroupSize; i += 16)
                {
                    Vector256<float> low = Eight(ref numbers, i) * scale, high = Eight(ref numbers, i + 8) * scale;
                    if (TWeight.HasOffsets)
                    {
                        low += offset;
                        high += offset;
                    }
                    low.StoreUnsafe(ref target, (nuint)i);
                    high.StoreUnsafe(ref target, (nuint)(i + 8));
                }
                numbers = ref Unsafe.Add(ref numbers, TWeight.GroupSize);
                target = ref Unsafe.Add(ref target, TWeight.GroupSize);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Eight(ref sbyte numbers, int start) => Vector256.ConvertToSingle(
        ByteVectors.WidenLowerEight(Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref numbers, start)))).AsSByte()));
}
