using System.Runtime.InteropServices;
using Nibble.Formats;
using Nibble.Kernels;
using Nibble.Memory;
using Nibble.Tests.Kernels.Panels;

namespace Nibble.Tests.Kernels;

/// <summary>Matrices on whichever path <c>NIBBLE_ISA</c> and the processor give, against exact sums.</summary>
public class LevelMatrixTests
{
    public static TheoryData<string> Formats => PanelKernelTests.Formats;

    [Theory]
    [MemberData(nameof(Formats))]
    public void Products_are_exact_for_every_number_of_rows_tokens_and_columns(string name)
    {
        Assert.True(WeightFormat.TryParse(name, out WeightFormat? format));
        Assert.True(format.TryAccept(new Check(format), out _));
    }

    private sealed class Check(WeightFormat format) : ILevelVisitor<bool>
    {
        bool ILevelVisitor<bool>.Visit<TWeight, TActivation>()
        {
            using WorkerPool pool = new(2);
            foreach (bool mayRepack in (bool[])[true, false])
            {
                foreach ((int rows, int blocks, int tokens) in Sizes())
                {
                    LevelProduct<TWeight, TActivation> product = new(rows, blocks * Math.Max(TWeight.BlockSize, TActivation.BlockSize), tokens);
                    ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(product.Weights.AsSpan());
                    using AlignedBuffer data = new(bytes.Length);
                    bytes.CopyTo(data.AsSpan<byte>(0, bytes.Length));
                    WeightMatrix matrix = WeightMatrix.Create(format, data.Region, rows, product.Columns);
                    matrix.MayRepack = mayRepack;
                    using Activations input = new(product.Columns), result = new(rows);
                    input.Resize(tokens);
                    for (int t = 0; t < tokens; t++) product.Input.AsSpan(t * product.Columns, product.Columns).CopyTo(input.Write(t));
                    matrix.Multiply(input, result, pool);
                    float[] values = [.. Enumerable.Range(0, tokens).SelectMany(t => result.Read(t).ToArray())];
                    product.AssertExact(values, rows, mayRepack ? "packed" : "as in the file");
                }
            }
            return true;
        }

        private static IEnumerable<(int Rows, int Blocks, int Tokens)> Sizes()
        {
            for (int rows = 1; rows <= 17; rows++) yield return (rows, 1, 1 + rows % 9);
            for (int tokens = 1; tokens <= 17; tokens++) yield return (17, 1 + tokens % 3, tokens);
            for (int blocks = 3; blocks <= 7; blocks += 2) yield return (33, blocks, 9);
            yield return (33, 2, 1);
            yield return (16 * 17 + 5, 3, 1); // so many that a thread takes several tiles at a time
        }
    }
}
