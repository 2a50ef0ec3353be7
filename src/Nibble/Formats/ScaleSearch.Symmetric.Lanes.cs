using System.Runtime.CompilerServices;

namespace Nibble.Formats;

internal static partial class ScaleSearch
{
    /// <summary>
    /// As the scalar search, for the group of every lane. The quants are those that <c>limit + inverse * value</c> is nearest
    /// to; where all values are negligible the scale is 0 and the inverse NaN.
    /// </summary>
    /// <param name="values">The values.</param>
    /// <param name="weights">What an error in each counts.</param>
    /// <param name="limit">The quant that stands for zero.</param>
    /// <param name="weighed">As long as the values; overwritten.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (TLanes Scale, TLanes Inverse) Symmetric<TLanes>(ReadOnlySpan<TLanes> values, ReadOnlySpan<TLanes> weights, int limit, Span<TLanes> weighed)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes zero = TLanes.Create(0);
        TLanes extreme = Extreme(values, out TLanes areNumbers);
        for (int i = 0; i < values.Length; i++) weighed[i] = weights[i] * values[i];
        TLanes isNegligible = TLanes.Abs(extreme) < TLanes.Create(Negligible);
        TLanes isNear = areNumbers & TLanes.Abs(extreme) < TLanes.Create(float.PositiveInfinity) | isNegligible;
        (TLanes scale, TLanes inverse) = TLanes.All(isNear)
            ? Symmetric<TLanes, NearRounding>(values, weights, weighed, limit, extreme)
            : Symmetric<TLanes, AnyRounding>(values, weights, weighed, limit, extreme);
        return (TLanes.Choose(isNegligible, zero, scale), TLanes.Choose(isNegligible, TLanes.Create(float.NaN), inverse));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (TLanes Scale, TLanes Inverse) Symmetric<TLanes, TRounding>(
        ReadOnlySpan<TLanes> values, ReadOnlySpan<TLanes> weights, ReadOnlySpan<TLanes> weighed, int limit, TLanes extreme)
        where TLanes : unmanaged, ILanes<TLanes>
        where TRounding : struct, ILaneRounding
    {
        TLanes zero = TLanes.Create(0);
        TLanes chosen = TLanes.Create(-limit) / extreme;
        (TLanes valueQuant, TLanes quantQuant) = Products<TLanes, TRounding>(values, weights, weighed, limit, chosen);
        TLanes scale = TLanes.Choose(TLanes.Equal(quantQuant, zero), zero, valueQuant / quantQuant);
        TLanes best = scale * valueQuant;
        for (int step = -9; step <= 9; step++)
        {
            if (step == 0) continue;
            TLanes candidate = TLanes.Create(-(limit + 0.1f * step)) / extreme;
            (valueQuant, quantQuant) = Products<TLanes, TRounding>(values, weights, weighed, limit, candidate);
            TLanes isBetter = quantQuant > zero & valueQuant * valueQuant > best * quantQuant;
            TLanes trialScale = valueQuant / quantQuant;
            chosen = TLanes.Choose(isBetter, candidate, chosen);
            scale = TLanes.Choose(isBetter, trialScale, scale);
            best = TLanes.Choose(isBetter, trialScale * valueQuant, best);
        }
        return (scale, chosen);
    }

    /// <summary>Of every lane the first of the values of largest magnitude, with its sign.</summary>
    /// <param name="values">The values.</param>
    /// <param name="areNumbers">The mask of the lanes without NaN.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Extreme<TLanes>(ReadOnlySpan<TLanes> values, out TLanes areNumbers) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes extreme = TLanes.Create(0), largest = TLanes.Create(0);
        areNumbers = TLanes.CreateBits(-1);
        foreach (TLanes v in values)
        {
            TLanes isLarger = TLanes.Abs(v) > largest;
            largest = TLanes.Choose(isLarger, TLanes.Abs(v), largest);
            extreme = TLanes.Choose(isLarger, v, extreme);
            areNumbers &= TLanes.Equal(v, v);
        }
        return extreme;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TLanes ValueQuant, TLanes QuantQuant) Products<TLanes, TRounding>(
        ReadOnlySpan<TLanes> values, ReadOnlySpan<TLanes> weights, ReadOnlySpan<TLanes> weighed, int limit, TLanes inverse)
        where TLanes : unmanaged, ILanes<TLanes>
        where TRounding : struct, ILaneRounding
    {
        TLanes first = TLanes.Create(-limit), last = TLanes.Create(limit - 1);
        TLanes valueQuant = TLanes.Create(0), quantQuant = TLanes.Create(0);
        for (int i = 0; i < values.Length; i++)
        {
            TLanes quant = TRounding.Round(inverse * values[i], first, last);
            valueQuant += weighed[i] * quant;
            quantQuant += weights[i] * quant * quant;
        }
        return (valueQuant, quantQuant);
    }
}
