using System.Numerics;
using System.Runtime.InteropServices;

namespace Nibble.Kernels;

/// <summary>Which values of a head are turned together.</summary>
public enum RopeStyle
{
    /// <summary>2i and 2i + 1: Llama as GGUF orders its rows.</summary>
    Pairs,

    /// <summary>i and i + half: GPT-NeoX, Qwen.</summary>
    Halves,
}

/// <summary>
/// Rotary position embedding: turns pair i of a head at position p by the angle <c>p * Frequencies[i]</c>
/// (Su et al. 2021, arXiv:2104.09864).
/// </summary>
/// <param name="frequencies">Radians per position of each pair, <c>[dimensions / 2]</c>; see <see cref="RopeFrequencies"/>.</param>
/// <param name="style">Which values form a pair.</param>
/// <param name="magnitude">Factor on the turned values (YaRN's attention temperature), else 1.</param>
public sealed class Rope(float[] frequencies, RopeStyle style, float magnitude = 1)
{
    /// <summary>Leading values of a head that are turned; the rest stay as they are.</summary>
    public int Dimensions => frequencies.Length * 2;

    /// <summary>Numbers in the angles of one position.</summary>
    internal int AngleCount => 2 * Dimensions;

    /// <summary>Turns every head of one token in place.</summary>
    /// <param name="heads"><c>[heads, headSize]</c></param>
    /// <param name="headSize">Values of one head, at least <see cref="Dimensions"/>.</param>
    /// <param name="position">Place of the token in its text, from 0.</param>
    public void Apply(Span<float> heads, int headSize, int position)
    {
        Span<float> angles = stackalloc float[AngleCount];
        Prepare(position, angles);
        Apply(heads, headSize, angles);
    }

    /// <summary>
    /// Writes what <see cref="Apply(Span{float}, int, ReadOnlySpan{float})"/> multiplies the values of a head with, <c>[2, Dimensions]</c>:
    /// the cosine for each value, then the sine for the other value of its pair, negative for the first of them.
    /// </summary>
    internal void Prepare(int position, Span<float> angles)
    {
        int pairs = frequencies.Length, step = style == RopeStyle.Pairs ? 2 : 1, distance = style == RopeStyle.Pairs ? 1 : pairs;
        for (int i = 0; i < pairs; i++)
        {
            (float sine, float cosine) = MathF.SinCos(position * frequencies[i]);
            int first = i * step, second = first + distance;
            angles[first] = angles[second] = cosine * magnitude;
            angles[Dimensions + first] = -sine * magnitude;
            angles[Dimensions + second] = sine * magnitude;
        }
    }

    /// <summary>Turns every head of one token in place by the angles of its position.</summary>
    internal void Apply(Span<float> heads, int headSize, ReadOnlySpan<float> angles)
    {
        int dimensions = Dimensions;
        ReadOnlySpan<float> cosines = angles[..dimensions], sines = angles.Slice(dimensions, dimensions);
        Span<float> other = stackalloc float[dimensions];
        for (int start = 0; start < heads.Length; start += headSize)
        {
            Span<float> head = heads.Slice(start, dimensions);
            Swap(head, other);
            int i = 0;
            for (; i <= dimensions - Vector<float>.Count; i += Vector<float>.Count)
                (new Vector<float>(head[i..]) * new Vector<float>(cosines[i..]) + new Vector<float>(other[i..]) * new Vector<float>(sines[i..])).CopyTo(head[i..]);
            for (; i < dimensions; i++) head[i] = head[i] * cosines[i] + other[i] * sines[i];
        }
    }

    /// <summary>The other value of each value's pair.</summary>
    private void Swap(ReadOnlySpan<float> head, Span<float> other)
    {
        if (style == RopeStyle.Halves)
        {
            head[(head.Length / 2)..].CopyTo(other);
            head[..(head.Length / 2)].CopyTo(other[(head.Length / 2)..]);
            return;
        }
        ReadOnlySpan<ulong> pairs = MemoryMarshal.Cast<float, ulong>(head);
        Span<ulong> swapped = MemoryMarshal.Cast<float, ulong>(other);
        for (int i = 0; i < pairs.Length; i++) swapped[i] = BitOperations.RotateLeft(pairs[i], 32);
    }
}
