namespace Nibble.Kernels;

/// <summary>How far each pair of a head turns from one position to the next, with the ways of stretching a model to longer texts.</summary>
public static class RopeFrequencies
{
    /// <summary><c>base^(-2i / dimensions)</c> for i = 0 … dimensions / 2 - 1.</summary>
    public static float[] Plain(int dimensions, double frequencyBase)
    {
        float[] frequencies = new float[dimensions / 2];
        for (int i = 0; i < frequencies.Length; i++) frequencies[i] = (float)Math.Pow(frequencyBase, -2.0 * i / dimensions);
        return frequencies;
    }

    /// <summary>Positions squeezed by <paramref name="factor"/> (position interpolation, arXiv:2306.15595).</summary>
    public static float[] Linear(float[] plain, double factor) => Array.ConvertAll(plain, f => (float)(f / factor));

    /// <summary>Each pair squeezed by a factor of its own: the tensor <c>rope_freqs</c>, which holds Llama 3's scaling.</summary>
    public static float[] Divided(float[] plain, ReadOnlySpan<float> factors)
    {
        float[] frequencies = new float[plain.Length];
        for (int i = 0; i < frequencies.Length; i++) frequencies[i] = plain[i] / factors[i];
        return frequencies;
    }

    /// <summary>
    /// YaRN (arXiv:2309.00071): pairs that turn often within the original context stay, pairs that turn less than once are squeezed,
    /// and those between are mixed.
    /// </summary>
    /// <param name="plain">The frequencies without scaling.</param>
    /// <param name="frequencyBase">The base that gave <paramref name="plain"/>.</param>
    /// <param name="factor">How many times longer texts become.</param>
    /// <param name="originalContext">Tokens the model was first trained for.</param>
    /// <param name="fastTurns">Turns within the original context from which on a pair stays (β fast, 32).</param>
    /// <param name="slowTurns">Turns up to which a pair is squeezed in full (β slow, 1).</param>
    public static float[] Yarn(float[] plain, double frequencyBase, double factor, long originalContext, double fastTurns = 32, double slowTurns = 1)
    {
        int dimensions = plain.Length * 2;
        double first = Math.Max(0, Math.Floor(PairWithTurns(fastTurns)));
        double last = Math.Min(dimensions - 1, Math.Ceiling(PairWithTurns(slowTurns)));
        float[] frequencies = new float[plain.Length];
        for (int i = 0; i < frequencies.Length; i++)
        {
            double squeezed = Math.Clamp((i - first) / Math.Max(0.001, last - first), 0, 1);
            frequencies[i] = (float)(plain[i] * (1 - squeezed) + plain[i] / factor * squeezed);
        }
        return frequencies;

        // The (fractional) pair that makes this many turns within the original context.
        double PairWithTurns(double turns) => dimensions * Math.Log(originalContext / (turns * 2 * Math.PI)) / (2 * Math.Log(frequencyBase));
    }

    /// <summary>YaRN's factor on turned queries and keys, which keeps attention as sharp over a longer text: 0.1 ln(factor) + 1.</summary>
    public static float YarnMagnitude(double factor) => factor <= 1 ? 1 : (float)(0.1 * Math.Log(factor) + 1);
}
