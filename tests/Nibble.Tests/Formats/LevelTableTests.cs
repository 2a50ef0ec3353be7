using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Nibble.Formats;

namespace Nibble.Tests.Formats;

public sealed class LevelTableTests
{
    [Fact]
    public void Nearest_is_the_one_an_exhaustive_search_finds()
    {
        sbyte[] levels = IQ4_NL.Levels.ToArray();
        LevelTable table = new(levels);
        for (float value = -200; value <= 200; value += 1 / 64f)
        {
            float smallest = levels.Min(l => MathF.Abs(l - value));
            int expected = Array.FindLastIndex(levels, l => MathF.Abs(l - value) == smallest);
            Assert.Equal(expected, table.Nearest(value));
        }
    }

    [Fact]
    public void Nearest_gives_a_level_for_what_is_no_number()
    {
        LevelTable table = new(IQ4_NL.Levels);
        Assert.Equal(0, table.Nearest(float.NegativeInfinity));
        Assert.Equal(15, table.Nearest(float.PositiveInfinity));
        Assert.InRange(table.Nearest(float.NaN), 0, 15);
    }

    [Fact]
    public void Nearest_is_the_same_in_lanes()
    {
        Assert.SkipUnless(Avx2.IsSupported || AdvSimd.Arm64.IsSupported, "needs AVX2 or Arm64");
        LevelTable table = new(IQ4_NL.Levels);
        List<float> values = [float.NaN, float.NegativeInfinity, float.PositiveInfinity, -0f, float.Epsilon];
        for (float value = -130; value <= 130; value += 1 / 4f) values.AddRange([MathF.BitDecrement(value), value, MathF.BitIncrement(value)]);
        while (values.Count % Lanes8.Count != 0) values.Add(0);
        float[] all = [.. values], levels = new float[Lanes8.Count];
        byte[] indices = new byte[all.Length];
        table.Nearest<Lanes8>(all, inverse: 1, indices);
        for (int i = 0; i < all.Length; i++)
        {
            int expected = table.Nearest(all[i]);
            Assert.Equal(expected, indices[i]);
            table.NearestLevel(Lanes8.Load(all.AsSpan(i / Lanes8.Count * Lanes8.Count))).Store(levels);
            Assert.Equal(table[expected], levels[i % Lanes8.Count]);
        }
    }
}
