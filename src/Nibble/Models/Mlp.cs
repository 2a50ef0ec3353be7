using System.Numerics.Tensors;
using Nibble.Kernels;

namespace Nibble.Models;

/// <summary>The gated feed-forward block: <c>down(silu(gate(x)) * up(x))</c> (SwiGLU, Shazeer 2020, arXiv:2002.05202).</summary>
public sealed record Mlp(Linear Gate, Linear Up, Linear Down)
{
    /// <summary>Replaces <c>state.Normed</c>, <c>[tokens, width]</c>, by the block's output in <c>state.Output</c>.</summary>
    internal void Apply(ForwardState state)
    {
        Activations gate = state.Scratch("gate", Gate.Outputs), up = state.Scratch("up", Up.Outputs);
        Linear.Apply(state.Normed, state, (Gate, gate), (Up, up));
        state.Pool.Run(new SwiGlu(gate, up), gate.Tokens);
        Down.Apply(gate, state.Output, state);
    }

    private readonly unsafe struct SwiGlu(Activations gate, Activations up) : IWork
    {
        private const int PartSize = 1024;

        private readonly float* _gate = gate.WritePointer;
        private readonly float* _up = up.Pointer;
        private readonly int _columns = gate.Columns;

        public void Run(int start, int end)
        {
            Span<float> part = stackalloc float[PartSize]; // few enough to stay in the first-level cache through three passes
            for (int token = start; token < end; token++)
            {
                Span<float> g = new(_gate + (long)token * _columns, _columns);
                ReadOnlySpan<float> u = new(_up + (long)token * _columns, _columns);
                for (int first = 0; first < g.Length; first += PartSize)
                {
                    int count = Math.Min(PartSize, g.Length - first);
                    TensorPrimitives.Sigmoid(g.Slice(first, count), part);
                    TensorPrimitives.Multiply(part[..count], g.Slice(first, count), part);
                    TensorPrimitives.Multiply(part[..count], u.Slice(first, count), g.Slice(first, count));
                }
            }
        }
    }
}
