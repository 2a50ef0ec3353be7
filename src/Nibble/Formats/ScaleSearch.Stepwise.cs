namespace Nibble.Formats;

internal static partial class ScaleSearch
{
    /// <summary>
    /// Fits <c>value = scale * (quant - limit)</c> as <see cref="Symmetric"/> does, weighing each value by its square, but by
    /// another way: starting from the scale that just fits, it moves one quant at a time to where the fit of all the others
    /// wants it, in at most five rounds.
    /// </summary>
    public static float SymmetricStepwise(ReadOnlySpan<float> values, int limit, Span<byte> quants)
    {
        float extreme = Extreme(values);
        if (MathF.Abs(extreme) < Negligible)
        {
            quants.Clear();
            return 0;
        }
        float inverse = -limit / extreme;
        float valueQuant = 0, quantQuant = 0;
        for (int i = 0; i < values.Length; i++)
        {
            float v = values[i], weight = v * v;
            int quant = Signed(inverse * v, limit);
            quants[i] = (byte)(quant + limit);
            valueQuant += weight * v * quant;
            quantQuant += weight * quant * quant;
        }
        bool changed = true;
        for (int round = 0; round < 5 && changed; round++)
        {
            changed = false;
            for (int i = 0; i < values.Length; i++)
            {
                float v = values[i], weight = v * v;
                int old = quants[i] - limit;
                float othersValueQuant = valueQuant - weight * v * old;
                if (!(othersValueQuant > 0)) continue;
                float othersQuantQuant = quantQuant - weight * old * old;
                int quant = Signed(v * othersQuantQuant / othersValueQuant, limit);
                if (quant == old) continue;
                othersValueQuant += weight * v * quant;
                othersQuantQuant += weight * quant * quant;
                if (othersQuantQuant > 0 && othersValueQuant * othersValueQuant * quantQuant > valueQuant * valueQuant * othersQuantQuant)
                {
                    quants[i] = (byte)(quant + limit);
                    valueQuant = othersValueQuant;
                    quantQuant = othersQuantQuant;
                    changed = true;
                }
            }
        }
        return quantQuant > 0 ? valueQuant / quantQuant : 0;
    }
}
