using System.Numerics.Tensors;

namespace Nibble.Kernels;

/// <summary>Scales a vector to a root mean square of one, then each column by a learned weight (Zhang and Sennrich 2019, arXiv:1910.07467).</summary>
/// <param name="weight"><c>[columns]</c></param>
/// <param name="epsilon">Added to the mean square, against division by zero.</param>
public sealed class RmsNorm(float[] weight, float epsilon)
{
    /// <summary>Values of one vector.</summary>
    public int Columns => weight.Length;

    /// <summary>Writes the normalized <paramref name="source"/> to <paramref name="destination"/>; both <c>[Columns]</c>, and they may be the same.</summary>
    public void Apply(ReadOnlySpan<float> source, Span<float> destination)
    {
        float meanSquare = TensorPrimitives.SumOfSquares(source) / source.Length;
        TensorPrimitives.Multiply(source, 1 / MathF.Sqrt(meanSquare + epsilon), destination);
        TensorPrimitives.Multiply(destination, weight, destination);
    }

    /// <summary>Normalizes every token of <paramref name="source"/>, <c>[tokens, Columns]</c>.</summary>
    internal unsafe void Apply(Activations source, Activations destination, WorkerPool pool)
    {
        destination.Resize(source.Tokens);
        pool.Run(new Work(this, null, source.Pointer, destination.WritePointer), source.Tokens);
    }

    /// <summary>Adds <paramref name="addend"/> to <paramref name="stream"/>, then normalizes its tokens; all <c>[tokens, Columns]</c>.</summary>
    internal unsafe void AddAndApply(Activations addend, Activations stream, Activations destination, WorkerPool pool)
    {
        destination.Resize(stream.Tokens);
        pool.Run(new Work(this, addend.Pointer, stream.WritePointer, destination.WritePointer), stream.Tokens);
    }

    /// <summary>Normalizes each consecutive part of <see cref="Columns"/> values, in place: one attention head after the other.</summary>
    public void ApplyToHeads(Span<float> heads)
    {
        for (int start = 0; start < heads.Length; start += Columns) Apply(heads.Slice(start, Columns), heads.Slice(start, Columns));
    }

    private readonly unsafe struct Work(RmsNorm norm, float* addend, float* source, float* destination) : IWork
    {
        public void Run(int start, int end)
        {
            for (int token = start; token < end; token++)
            {
                long first = (long)token * norm.Columns;
                Span<float> values = new(source + first, norm.Columns);
                if (addend is not null) TensorPrimitives.Add(values, new ReadOnlySpan<float>(addend + first, norm.Columns), values);
                norm.Apply(values, new Span<float>(destination + first, norm.Columns));
            }
        }
    }
}
