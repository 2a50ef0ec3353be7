using Nibble.Formats;
using Nibble.Tests.Formats;

namespace Nibble.Tests.Kernels.Panels;

/// <summary>
/// A product of random blocks whose scales are 1 with whole numbers: everything is a multiple of a power of two and small enough that no
/// order of additions rounds. So every kernel must give exactly the sums that are computed here in double precision.
/// </summary>
internal sealed class LevelProduct<TWeight, TActivation>
    where TWeight : unmanaged, IWeightBlock<TWeight, TActivation>
    where TActivation : unmanaged, IBlock<TActivation>
{
    private readonly float[] _values;

    public LevelProduct(int rows, int columns, int tokens, int seed = 1, int largest = 40)
    {
        (Rows, Columns, Tokens) = (rows, columns, tokens);
        Random random = new(seed + 1000 * rows + 7 * columns + tokens);
        Weights = RandomBlocks.Create<TWeight>(random, rows * (columns / TWeight.BlockSize), () => 1);
        _values = new float[rows * columns];
        TWeight.Dequantize(Weights, _values);
        Input = new float[tokens * columns];
        for (int i = 0; i < Input.Length; i++) Input[i] = random.Next(-largest, largest + 1);
        // Where the largest is 127, a whole number, the scale becomes 1 or -1.
        for (int i = 0; i < Input.Length; i += 32) Input[i + random.Next(32)] = random.Next(2) * 254 - 127;
    }

    public int Rows { get; }

    public int Columns { get; }

    public int Tokens { get; }

    /// <summary><c>[rows, columns / BlockSize]</c></summary>
    public TWeight[] Weights { get; }

    /// <summary><c>[tokens, columns]</c></summary>
    public float[] Input { get; }

    public float Expected(int token, int row)
    {
        double sum = 0;
        for (int c = 0; c < Columns; c++) sum += (double)_values[row * Columns + c] * Input[token * Columns + c];
        return (float)sum;
    }

    /// <summary>Asserts that a result, <c>[tokens, stride]</c>, is right in its rows.</summary>
    public void AssertExact(ReadOnlySpan<float> result, int stride, string what)
    {
        for (int t = 0; t < Tokens; t++)
        {
            for (int r = 0; r < Rows; r++)
            {
                float expected = Expected(t, r), actual = result[t * stride + r];
                Assert.True(expected == actual, $"{what}, {TWeight.Name} [{Rows}, {Columns}], {Tokens} tokens: {actual} instead of {expected} for row {r} of token {t}");
            }
        }
    }
}
