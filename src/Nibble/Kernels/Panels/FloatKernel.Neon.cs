using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Nibble.Kernels.Panels;

internal static unsafe partial class FloatKernel
{
    /// <summary>Four tokens: sixteen sums, four vectors of weights and one of tokens fit the 32 registers.</summary>
    private static void RunFourNeon(float* weights, float* tokens, int columns, float* result, long stride)
    {
        Vector128<float> sum00 = default, sum01 = default, sum02 = default, sum03 = default, sum10 = default, sum11 = default, sum12 = default, sum13 = default;
        Vector128<float> sum20 = default, sum21 = default, sum22 = default, sum23 = default, sum30 = default, sum31 = default, sum32 = default, sum33 = default;
        for (float* end = weights + (long)columns * RowPanel.Rows; weights < end; weights += RowPanel.Rows, tokens += TokenTiles.Tokens)
        {
            Vector128<float> w0 = Vector128.Load(weights), w1 = Vector128.Load(weights + 4), w2 = Vector128.Load(weights + 8), w3 = Vector128.Load(weights + 12);
            Vector128<float> x = Vector128.Load(tokens);
            sum00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum00, w0, x, 0);
            sum01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum01, w1, x, 0);
            sum02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum02, w2, x, 0);
            sum03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum03, w3, x, 0);
            sum10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum10, w0, x, 1);
            sum11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum11, w1, x, 1);
            sum12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum12, w2, x, 1);
            sum13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum13, w3, x, 1);
            sum20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum20, w0, x, 2);
            sum21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum21, w1, x, 2);
            sum22 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum22, w2, x, 2);
            sum23 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum23, w3, x, 2);
            sum30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum30, w0, x, 3);
            sum31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum31, w1, x, 3);
            sum32 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum32, w2, x, 3);
            sum33 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum33, w3, x, 3);
        }
        Put(result, sum00, sum01, sum02, sum03);
        Put(result + stride, sum10, sum11, sum12, sum13);
        Put(result + 2 * stride, sum20, sum21, sum22, sum23);
        Put(result + 3 * stride, sum30, sum31, sum32, sum33);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Put(float* target, Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
        {
            a.Store(target);
            b.Store(target + 4);
            c.Store(target + 8);
            d.Store(target + 12);
        }
    }
}
