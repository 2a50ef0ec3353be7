using System.Numerics.Tensors;
using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>A matrix product with an optional bias: <c>y = W x + b</c>.</summary>
/// <param name="Name">The name of the weight's tensor.</param>
/// <param name="Weight"><c>[outputs, inputs]</c></param>
/// <param name="Bias"><c>[outputs]</c>, or <see langword="null"/>.</param>
public sealed record Linear(string Name, WeightMatrix Weight, float[]? Bias = null)
{
    public int Inputs => Weight.Columns;

    public int Outputs => Weight.Rows;

    /// <param name="input"><c>[tokens, Inputs]</c></param>
    /// <param name="result">Becomes <c>[tokens, Outputs]</c>.</param>
    /// <param name="state">The threads to use, and who looks on.</param>
    internal void Apply(Activations input, Activations result, ForwardState state) => Apply(input, state, (this, result));

    /// <summary>Several products with the same input, for which threads meet once.</summary>
    internal static void Apply(Activations input, ForwardState state, params ReadOnlySpan<(Linear Matrix, Activations Result)> products)
    {
        ProductList together = default;
        foreach ((Linear matrix, Activations result) in products)
        {
            state.Observer?.Invoke(matrix, input);
            together.Add(matrix.Weight, input, result, state.Pool);
        }
        together.Multiply(state.Pool);
        foreach ((Linear matrix, Activations result) in products)
        {
            if (matrix.Bias is null) continue;
            for (int token = 0; token < result.Tokens; token++)
            {
                Span<float> row = result.Write(token);
                TensorPrimitives.Add(row, matrix.Bias, row);
            }
        }
    }
}
