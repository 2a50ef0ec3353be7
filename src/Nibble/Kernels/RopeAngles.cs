using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>The angles of the tokens of a batch, computed once for all layers that turn alike.</summary>
internal sealed unsafe class RopeAngles(Rope rope) : IDisposable
{
    private AlignedBuffer _angles = new(0);
    private long _batch = -1;

    /// <summary>The angles of the tokens of a batch, <c>[tokens, AngleCount]</c>.</summary>
    /// <param name="batch">Tells batches apart: the angles are computed once for each.</param>
    /// <param name="segments">Where its tokens are in their texts.</param>
    /// <param name="tokens">All of them.</param>
    public float* Of(long batch, ReadOnlySpan<AttentionSegment> segments, int tokens)
    {
        if (batch == _batch) return (float*)_angles.Pointer;
        long bytes = (long)tokens * rope.AngleCount * sizeof(float);
        if (_angles.Length < bytes)
        {
            _angles.Dispose();
            _angles = AlignedBuffer.Uninitialized(bytes);
        }
        foreach (ref readonly AttentionSegment segment in segments)
            for (int i = 0; i < segment.Tokens; i++)
                rope.Prepare(segment.FirstPosition + i, _angles.AsSpan<float>((long)(segment.FirstToken + i) * rope.AngleCount, rope.AngleCount));
        _batch = batch;
        return (float*)_angles.Pointer;
    }

    public void Dispose() => _angles.Dispose();
}
