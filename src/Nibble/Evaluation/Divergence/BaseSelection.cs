using System.Numerics.Tensors;
using Nibble.Kernels;

namespace Nibble.Evaluation.Divergence;

/// <summary>Chooses what a base file keeps of a distribution: the likeliest tokens, and of the rest a sample in which each token turns up as often as it is probable.</summary>
internal static unsafe class BaseSelection
{
    /// <summary>Multiples of it, less their whole part, are spread evenly over 0 to 1, so that draws differ from token to token and yet are the same in every run.</summary>
    private const double GoldenRatio = 0.6180339887498949;

    /// <param name="scores"><c>[vocabulary]</c></param>
    /// <param name="token">The token of the text.</param>
    /// <param name="position">Counts the records.</param>
    /// <param name="header">How much to keep.</param>
    /// <param name="record">Becomes what is kept.</param>
    public static void Write(ReadOnlySpan<float> scores, int token, long position, BaseHeader header, BaseRecord record)
    {
        float highest = TensorPrimitives.Max(scores);
        double logarithm = highest + Math.Log(ScoreSums.Exponentials(scores, highest));
        record.TokenLogarithm = (float)(scores[token] - logarithm);
        int* top = (int*)ThreadScratch.Take((long)header.Top * sizeof(int) + (long)scores.Length * sizeof(float));
        Span<float> powers = new(top + header.Top, scores.Length);
        FindTop(scores, new Span<int>(top, header.Top));
        TensorPrimitives.Subtract(scores, highest, powers);
        TensorPrimitives.Exp(powers, powers);
        for (int i = 0; i < header.Top; i++)
        {
            record.Set(i, top[i], scores[top[i]] - logarithm);
            powers[top[i]] = 0;
        }
        double rest = 0;
        foreach (float power in powers) rest += power;
        record.Rest = (float)Math.Min(1, rest * Math.Exp(highest - logarithm));
        Draw(scores, powers, rest, position, header, record, logarithm);
    }

    /// <summary>The indexes of the largest values, in falling order; of equal ones the first.</summary>
    private static void FindTop(ReadOnlySpan<float> values, Span<int> top)
    {
        int found = 0;
        for (int i = 0; i < values.Length; i++)
        {
            if (found == top.Length && !(values[i] > values[top[^1]])) continue;
            int place = found < top.Length ? found++ : found - 1;
            for (; place > 0 && values[i] > values[top[place - 1]]; place--) top[place] = top[place - 1];
            top[place] = i;
        }
    }

    /// <summary>Cuts the rest into parts of equal mass and takes the token at the same place of each.</summary>
    private static void Draw(ReadOnlySpan<float> scores, ReadOnlySpan<float> powers, double rest, long position, BaseHeader header, BaseRecord record, double logarithm)
    {
        double start = position * GoldenRatio % 1, passed = 0;
        int drawn = 0, last = 0;
        for (int id = 0; id < powers.Length && drawn < header.Sampled; id++)
        {
            if (powers[id] == 0) continue;
            passed += powers[id];
            last = id;
            for (; drawn < header.Sampled && (start + drawn) / header.Sampled * rest < passed; drawn++) record.Set(header.Top + drawn, id, scores[id] - logarithm);
        }
        for (; drawn < header.Sampled; drawn++) record.Set(header.Top + drawn, last, scores[last] - logarithm); // where rounding left nothing
    }
}
