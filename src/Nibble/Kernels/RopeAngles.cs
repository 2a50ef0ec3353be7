using Nibble.Memory;

namespace Nibble.Kernels;

/// <summary>The angles of a run of positions, computed once for all layers that turn alike.</summary>
internal sealed unsafe class RopeAngles(Rope rope) : IDisposable
{
    private AlignedBuffer _angles = new(0);
    private int _first = -1, _count;

    /// <summary>The angles of <paramref name="count"/> positions from <paramref name="first"/> on, <c>[count, AngleCount]</c>.</summary>
    public float* At(int first, int count)
    {
        if (first == _first && count == _count) return (float*)_angles.Pointer;
        long bytes = (long)count * rope.AngleCount * sizeof(float);
        if (_angles.Length < bytes)
        {
            _angles.Dispose();
            _angles = AlignedBuffer.Uninitialized(bytes);
        }
        for (int i = 0; i < count; i++) rope.Prepare(first + i, _angles.AsSpan<float>((long)i * rope.AngleCount, rope.AngleCount));
        (_first, _count) = (first, count);
        return (float*)_angles.Pointer;
    }

    public void Dispose() => _angles.Dispose();
}
