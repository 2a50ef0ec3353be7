using System.Runtime.Intrinsics.X86;
using Nibble.Kernels;

namespace Nibble.Tests.Kernels;

public unsafe class ExponentialTests
{
    [Fact]
    public void It_is_e_to_the_power() => Check<Float8>();

    [Fact]
    public void It_is_e_to_the_power_in_narrow_registers() => Check<Float4>();

    [Fact]
    public void It_is_e_to_the_power_in_wide_registers()
    {
        Assert.SkipUnless(Avx512F.IsSupported, "needs AVX-512");
        Check<Float16>();
    }

    private static void Check<TVector>() where TVector : unmanaged, IFloatVector<TVector>
    {
        float* result = stackalloc float[TVector.Count];
        Assert.Equal(1, Of(0));
        Assert.Equal(0, Of(float.NegativeInfinity));
        Assert.Equal(0, Of(-1e30f));
        Assert.Equal(0, Of(-90));
        Assert.True(float.IsNaN(Of(float.NaN)));
        for (float x = -1e-6f; x > -86; x = x * 1.01f - 1e-4f)
        {
            double expected = Math.Exp(x);
            Assert.InRange(Of(x), expected * (1 - 2.5e-7), expected * (1 + 2.5e-7));
        }

        float Of(float x)
        {
            Exponential.OfNonPositive(TVector.Broadcast(x)).Store(result);
            for (int i = 1; i < TVector.Count; i++) Assert.Equal(result[0], result[i]);
            return result[0];
        }
    }
}
