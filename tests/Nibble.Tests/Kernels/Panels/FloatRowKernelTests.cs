using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nibble.Formats;
using Nibble.Kernels.Panels;
using Nibble.Tests.Formats;

namespace Nibble.Tests.Kernels.Panels;

public sealed unsafe class FloatRowKernelTests
{
    [Fact]
    public void Half_precision() => Check<F16>();

    [Fact]
    public void Upper_halves() => Check<BF16>();

    [Fact]
    public void Single_precision() => Check<F32>();

    /// <summary>A 1 in the token at one place after the other gives back each weight as it is: zeros, denormals, infinities and all.</summary>
    [Fact]
    public void Every_half_becomes_what_it_is()
    {
        FloatRowKernel kernel = Kernel<F16>();
        const int Columns = FloatRowAssembler.ColumnsAtATime;
        float[] token = new float[Columns];
        F16[] weights = new F16[Columns];
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            int place = bits % Columns;
            Array.Clear(weights);
            Array.Clear(token);
            (weights[place].Value, token[place]) = (BitConverter.UInt16BitsToHalf((ushort)bits), 1);
            fixed (F16* w = weights) fixed (float* x = token) Assert.Equal((float)weights[place].Value, kernel.Dot(w, x, Columns));
        }
    }

    private static void Check<TWeight>() where TWeight : unmanaged, IWeightBlock<TWeight, F32>
    {
        FloatRowKernel kernel = Kernel<TWeight>();
        Random random = new(1);
        for (int columns = FloatRowAssembler.ColumnsAtATime; columns <= 1024; columns += FloatRowAssembler.ColumnsAtATime)
        {
            // Small whole numbers: every product and every sum is exact in single precision.
            float[] values = [.. Enumerable.Range(0, columns).Select(_ => (float)random.Next(-50, 50))], token = [.. Enumerable.Range(0, columns).Select(_ => (float)random.Next(-50, 50))];
            TWeight[] weights = new TWeight[columns];
            TWeight.Quantize(values, weights);
            using GuardedMemory<TWeight> w = new(weights);
            using GuardedMemory<float> x = new(token);
            float expected = values.Zip(token, (a, b) => a * b).Sum();
            Assert.Equal(expected, kernel.Dot(Unsafe.AsPointer(ref MemoryMarshal.GetReference(w.Span)), (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(x.Span)), columns));
        }
    }

    private static FloatRowKernel Kernel<TWeight>() where TWeight : unmanaged, IBlockShape
    {
        FloatRowKernel? kernel = FloatRowKernel.TryGet<TWeight>();
        Assert.SkipWhen(kernel is null, "without AVX-512, or memory for assembled code, rows are multiplied otherwise");
        return kernel;
    }
}
