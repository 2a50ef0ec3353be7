using System.Runtime.CompilerServices;

namespace Nibble.Formats;

internal static partial class ScaleSearch
{
    /// <summary>As the scalar search, for the group of every lane; the other runs are as long as the values and overwritten.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static TLanes SymmetricStepwise<TLanes>(ReadOnlySpan<TLanes> values, int limit, Span<TLanes> quants, Span<TLanes> weighed) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes zero = TLanes.Create(0), first = TLanes.Create(-limit), last = TLanes.Create(limit - 1);
        TLanes extreme = Extreme(values, out _);
        TLanes inverse = TLanes.Create(-limit) / extreme;
        TLanes valueQuant = zero, quantQuant = zero;
        for (int i = 0; i < values.Length; i++)
        {
            TLanes v = values[i], weight = v * v;
            TLanes quant = AnyRounding.Round(inverse * v, first, last);
            quants[i] = quant;
            weighed[i] = weight * v;
            valueQuant += weighed[i] * quant;
            quantQuant += weight * quant * quant;
        }
        bool changed = true;
        for (int round = 0; round < 5 && changed; round++)
        {
            changed = false;
            for (int i = 0; i < values.Length; i++)
            {
                TLanes v = values[i], weight = v * v, old = quants[i];
                TLanes othersValueQuant = valueQuant - weighed[i] * old;
                TLanes othersQuantQuant = quantQuant - weight * old * old;
                TLanes quant = AnyRounding.Round(v * othersQuantQuant / othersValueQuant, first, last);
                TLanes moves = othersValueQuant > zero & (quant < old | quant > old);
                othersValueQuant += weighed[i] * quant;
                othersQuantQuant += weight * quant * quant;
                moves &= othersQuantQuant > zero & othersValueQuant * othersValueQuant * quantQuant > valueQuant * valueQuant * othersQuantQuant;
                quants[i] = TLanes.Choose(moves, quant, old);
                valueQuant = TLanes.Choose(moves, othersValueQuant, valueQuant);
                quantQuant = TLanes.Choose(moves, othersQuantQuant, quantQuant);
                changed |= TLanes.Any(moves);
            }
        }
        TLanes isZero = TLanes.Abs(extreme) < TLanes.Create(Negligible);
        TLanes scale = TLanes.Choose(quantQuant > zero, valueQuant / quantQuant, zero);
        return TLanes.Choose(isZero, zero, scale);
    }
}
