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

    /// <summary>Turns every head of one token in place.</summary>
    /// <param name="heads"><c>[heads, headSize]</c></param>
    /// <param name="headSize">Values of one head, at least <see cref="Dimensions"/>.</param>
    /// <param name="position">Place of the token in its text, from 0.</param>
    public void Apply(Span<float> heads, int headSize, int position)
    {
        int pairs = frequencies.Length;
        Span<float> cosines = stackalloc float[pairs], sines = stackalloc float[pairs];
        for (int i = 0; i < pairs; i++)
        {
            (float sine, float cosine) = MathF.SinCos(position * frequencies[i]);
            cosines[i] = cosine * magnitude;
            sines[i] = sine * magnitude;
        }
        int step = style == RopeStyle.Pairs ? 2 : 1, distance = style == RopeStyle.Pairs ? 1 : pairs;
        for (int start = 0; start < heads.Length; start += headSize)
        {
            Span<float> head = heads.Slice(start, headSize);
            for (int i = 0; i < pairs; i++)
            {
                float first = head[i * step], second = head[i * step + distance];
                head[i * step] = first * cosines[i] - second * sines[i];
                head[i * step + distance] = first * sines[i] + second * cosines[i];
            }
        }
    }
}
