using System.Reflection;
using System.Runtime.InteropServices;
using Nibble.Formats;

namespace Nibble.Tests.Formats;

/// <summary>Blocks of any bits at all, but with scales that are chosen.</summary>
internal static class RandomBlocks
{
    /// <summary>Random bytes, and for every floating-point number of a block one that <paramref name="scale"/> gives.</summary>
    public static T[] Create<T>(Random random, int count, Func<float> scale) where T : unmanaged
    {
        T[] blocks = new T[count];
        random.NextBytes(MemoryMarshal.AsBytes(blocks.AsSpan()));
        for (int b = 0; b < count; b++) SetScales(ref blocks[b], scale);
        return blocks;
    }

    /// <summary>Gives a value to every field that holds a floating-point number; the other fields are whole numbers.</summary>
    public static void SetScales<T>(ref T block, Func<float> value) where T : struct
    {
        object boxed = block;
        foreach (FieldInfo field in typeof(T).GetFields())
        {
            if (field.FieldType == typeof(Half)) field.SetValue(boxed, (Half)value());
            if (field.FieldType == typeof(float)) field.SetValue(boxed, value());
            if (field.FieldType == typeof(E8M0)) field.SetValue(boxed, new E8M0 { Bits = (byte)(127 + Math.Floor(Math.Log2(Math.Abs(value()) + 0.01))) });
            if (field.FieldType == typeof(TernaryScales)) field.SetValue(boxed, (TernaryScales)field.GetValue(boxed)! with { Scale = (Half)value() });
            if (field.FieldType == typeof(UE4M3x4)) field.SetValue(boxed, FourScales(value));
        }
        block = (T)boxed;
    }

    private static UE4M3x4 FourScales(Func<float> value)
    {
        UE4M3x4 scales = default;
        for (int g = 0; g < 4; g++) scales[g] = UE4M3.Round(Math.Abs(value()));
        return scales;
    }
}
