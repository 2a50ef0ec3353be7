using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nibble.Kernels.Panels;

/// <summary>The product of 16 rows of weights, <c>[columns, 16]</c>, and 8 tokens, <c>[columns, 8]</c>, in single precision. A lane is a row.</summary>
internal static unsafe partial class FloatKernel
{
    /// <param name="weights"><c>[columns, 16]</c></param>
    /// <param name="tokens"><c>[columns, 8]</c></param>
    /// <param name="columns">Columns.</param>
    /// <param name="result">Becomes <c>[8, 16]</c>.</param>
    /// <param name="stride">Values from one token of the result to the next.</param>
    public static void Run(float* weights, float* tokens, int columns, float* result, long stride)
    {
        if (InstructionSets.HasAvx512) RunAvx512(weights, tokens, columns, result, stride);
        else if (InstructionSets.HasNeon) for (int token = 0; token < TokenTiles.Tokens; token += 4) RunFourNeon(weights, tokens + token, columns, result + token * stride, stride);
        else for (int token = 0; token < TokenTiles.Tokens; token += 4) RunFour(weights, tokens + token, columns, result + token * stride, stride);
    }

    private static void RunAvx512(float* weights, float* tokens, int columns, float* result, long stride)
    {
        Vector512<float> sum0 = default, sum1 = default, sum2 = default, sum3 = default, sum4 = default, sum5 = default, sum6 = default, sum7 = default;
        for (float* end = weights + (long)columns * RowPanel.Rows; weights < end; weights += RowPanel.Rows, tokens += TokenTiles.Tokens)
        {
            Vector512<float> w = Vector512.Load(weights);
            sum0 = Avx512F.FusedMultiplyAdd(w, Vector512.Create(tokens[0]), sum0);
            sum1 = Avx512F.FusedMultiplyAdd(w, Vector512.Create(tokens[1]), sum1);
            sum2 = Avx512F.FusedMultiplyAdd(w, Vector512.Create(tokens[2]), sum2);
            sum3 = Avx512F.FusedMultiplyAdd(w, Vector512.Create(tokens[3]), sum3);
            sum4 = Avx512F.FusedMultiplyAdd(w, Vector512.Create(tokens[4]), sum4);
            sum5 = Avx512F.FusedMultiplyAdd(w, Vector512.Create(tokens[5]), sum5);
            sum6 = Avx512F.FusedMultiplyAdd(w, Vector512.Create(tokens[6]), sum6);
            sum7 = Avx512F.FusedMultiplyAdd(w, Vector512.Create(tokens[7]), sum7);
        }
        sum0.Store(result);
        sum1.Store(result + stride);
        sum2.Store(result + 2 * stride);
        sum3.Store(result + 3 * stride);
        sum4.Store(result + 4 * stride);
        sum5.Store(result + 5 * stride);
        sum6.Store(result + 6 * stride);
        sum7.Store(result + 7 * stride);
    }

    /// <summary>Four tokens: eight sums and two vectors of weights fit the sixteen registers there are without AVX-512.</summary>
    private static void RunFour(float* weights, float* tokens, int columns, float* result, long stride)
    {
        Vector256<float> low0 = default, low1 = default, low2 = default, low3 = default, high0 = default, high1 = default, high2 = default, high3 = default;
        for (float* end = weights + (long)columns * RowPanel.Rows; weights < end; weights += RowPanel.Rows, tokens += TokenTiles.Tokens)
        {
            Vector256<float> low = Vector256.Load(weights), high = Vector256.Load(weights + 8);
            Vector256<float> x = Vector256.Create(tokens[0]);
            low0 = Vector256.MultiplyAddEstimate(low, x, low0);
            high0 = Vector256.MultiplyAddEstimate(high, x, high0);
            x = Vector256.Create(tokens[1]);
            low1 = Vector256.MultiplyAddEstimate(low, x, low1);
            high1 = Vector256.MultiplyAddEstimate(high, x, high1);
            x = Vector256.Create(tokens[2]);
            low2 = Vector256.MultiplyAddEstimate(low, x, low2);
            high2 = Vector256.MultiplyAddEstimate(high, x, high2);
            x = Vector256.Create(tokens[3]);
            low3 = Vector256.MultiplyAddEstimate(low, x, low3);
            high3 = Vector256.MultiplyAddEstimate(high, x, high3);
        }
        Put(result, low0, high0);
        Put(result + stride, low1, high1);
        Put(result + 2 * stride, low2, high2);
        Put(result + 3 * stride, low3, high3);

        static void Put(float* target, Vector256<float> low, Vector256<float> high)
        {
            low.Store(target);
            high.Store(target + 8);
        }
    }
}
