using System.Runtime.CompilerServices;

namespace Nibble.Formats;

internal static partial class ScaleSearch
{
    /// <summary>As the scalar search, for several blocks, one in every lane.</summary>
    /// <param name="values">The scales or minimums of the groups of one block after the other.</param>
    /// <param name="weights">At least as many.</param>
    /// <param name="groups">Groups of a block: 8 or 16.</param>
    /// <param name="limit">The highest quant.</param>
    /// <param name="scales">The scale of every block, with room for whole vectors.</param>
    /// <param name="quants">The quants in the order of <paramref name="values"/>.</param>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Positive<TLanes>(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int groups, int limit, Span<float> scales, Span<byte> quants)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        LaneScratch<TLanes> lanes = new(stackalloc byte[LaneScratch.Bytes], groups);
        Span<byte> quantLanes = stackalloc byte[TLanes.Count];
        int blocks = values.Length / groups;
        for (int first = 0; first < blocks; first += TLanes.Count)
        {
            LaneGroups.Transpose(values, first, blocks, groups, lanes.Values);
            LaneGroups.Transpose(weights, first, blocks, groups, lanes.Weights);
            Positive(lanes.Values, lanes.Weights, limit, lanes.Trial).Store(scales[first..]);
            for (int g = 0; g < groups; g++)
            {
                lanes.Trial[g].StoreBytes(quantLanes);
                for (int lane = 0; lane < TLanes.Count && first + lane < blocks; lane++) quants[(first + lane) * groups + g] = quantLanes[lane];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TLanes Positive<TLanes>(ReadOnlySpan<TLanes> values, ReadOnlySpan<TLanes> weights, int limit, Span<TLanes> quants) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes zero = TLanes.Create(0), highest = TLanes.Create(limit);
        TLanes largest = zero;
        foreach (TLanes v in values) largest = TLanes.Larger(largest, v);
        TLanes isNegligible = largest < TLanes.Create(Negligible);
        TLanes inverse = BestInverse(values, weights, limit, largest);
        TLanes valueQuant = zero, quantQuant = zero;
        for (int i = 0; i < values.Length; i++)
        {
            TLanes quant = TLanes.Smaller(Rounding.ToEven(inverse * values[i]), highest);
            quants[i] = Rounding.LowBytes(quant);
            valueQuant += weights[i] * values[i] * quant;
            quantQuant += weights[i] * quant * quant;
        }
        bool changed = true;
        for (int round = 0; round < 5 && changed; round++)
        {
            changed = false;
            for (int i = 0; i < values.Length; i++)
            {
                TLanes weight = weights[i], weighed = weight * values[i], old = quants[i];
                TLanes othersValueQuant = valueQuant - weighed * old;
                TLanes othersQuantQuant = quantQuant - weight * old * old;
                TLanes quant = TLanes.Smaller(Rounding.ToEven(values[i] * othersQuantQuant / othersValueQuant), highest);
                TLanes moves = othersValueQuant > zero & othersQuantQuant > zero & (quant < old | quant > old);
                othersValueQuant += weighed * quant;
                othersQuantQuant += weight * quant * quant;
                moves &= othersValueQuant * othersValueQuant * quantQuant > valueQuant * valueQuant * othersQuantQuant;
                quants[i] = TLanes.Choose(moves, Rounding.LowBytes(quant), old);
                valueQuant = TLanes.Choose(moves, othersValueQuant, valueQuant);
                quantQuant = TLanes.Choose(moves, othersQuantQuant, quantQuant);
                changed |= TLanes.Any(moves);
            }
        }
        for (int i = 0; i < quants.Length; i++) quants[i] = TLanes.Choose(isNegligible, zero, quants[i]);
        TLanes scale = TLanes.Choose(quantQuant > zero, valueQuant / quantQuant, zero);
        return TLanes.Choose(isNegligible, zero, scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TLanes BestInverse<TLanes>(ReadOnlySpan<TLanes> values, ReadOnlySpan<TLanes> weights, int limit, TLanes largest) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes highest = TLanes.Create(limit);
        TLanes best = TLanes.Create(limit) / largest;
        TLanes scale = TLanes.Create(1) / best, bestError = TLanes.Create(0);
        for (int i = 0; i < values.Length; i++)
        {
            TLanes difference = values[i] - scale * Rounding.LowBytes(Rounding.ToEven(best * values[i]));
            bestError += weights[i] * difference * difference;
        }
        for (int step = -4; step <= 4; step++)
        {
            if (step == 0) continue;
            TLanes candidate = TLanes.Create(0.1f * step + limit) / largest;
            scale = TLanes.Create(1) / candidate;
            TLanes error = TLanes.Create(0);
            for (int i = 0; i < values.Length; i++)
            {
                TLanes difference = values[i] - scale * TLanes.Smaller(Rounding.ToEven(candidate * values[i]), highest);
                error += weights[i] * difference * difference;
            }
            TLanes isBetter = error < bestError;
            bestError = TLanes.Choose(isBetter, error, bestError);
            best = TLanes.Choose(isBetter, candidate, best);
        }
        return best;
    }
}
