using System.Numerics;
using Nibble.Kernels;

namespace Nibble.Tests.Kernels;

public class HadamardTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(8)]
    [InlineData(20)]
    [InlineData(64)]
    [InlineData(96)]
    [InlineData(128)]
    [InlineData(1024)]
    public void It_is_the_matrix_of_signs(int size)
    {
        int block = Hadamard.BlockOf(size);
        Assert.True(BitOperations.IsPow2(block) && size % block == 0 && size / block % 2 == 1);
        float[] heads = Floats(3 * size), turned = [.. heads];
        Hadamard.Rotate(turned, size);
        for (int start = 0; start < heads.Length; start += block)
        {
            for (int row = 0; row < block; row++)
            {
                // Entry (row, column) has the sign of the number of bits they share.
                double expected = Enumerable.Range(0, block).Sum(c => (BitOperations.PopCount((uint)(row & c)) % 2 == 0 ? 1.0 : -1) * heads[start + c]) / Math.Sqrt(block);
                Assert.Equal(expected, turned[start + row], 1e-5);
            }
        }
    }

    [Theory]
    [InlineData(12)]
    [InlineData(64)]
    [InlineData(256)]
    public void Turning_twice_changes_nothing(int size)
    {
        float[] heads = Floats(4 * size), turned = [.. heads];
        Hadamard.Rotate(turned, size);
        Assert.NotEqual(heads, turned);
        Hadamard.Rotate(turned, size);
        foreach ((float one, float other) in heads.Zip(turned)) Assert.Equal(one, other, 1e-5);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    [InlineData(512)]
    public void Vectors_do_as_scalars(int size)
    {
        float[] vector = Floats(size), scalar = [.. vector];
        Hadamard.Rotate(vector, size);
        Hadamard.RotateScalar(scalar, 1 / MathF.Sqrt(size));
        foreach ((float one, float other) in scalar.Zip(vector)) Assert.Equal(one, other, 1e-5);
    }

    private static float[] Floats(int count)
    {
        Random random = new(count);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextSingle() - 1)];
    }
}
