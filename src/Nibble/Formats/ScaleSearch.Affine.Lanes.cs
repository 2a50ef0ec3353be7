using System.Runtime.CompilerServices;

namespace Nibble.Formats;

/// <summary>
/// What <see cref="ScaleSearch.Affine{TLanes}"/> finds for the group of each lane. The quants are those that
/// <c>Inverse * (value - Origin)</c> is nearest to; where all values are equal both <c>Scale</c> and <c>Inverse</c> are 0.
/// </summary>
internal readonly record struct AffineFit<TLanes>(TLanes Scale, TLanes Minimum, TLanes Inverse, TLanes Origin) where TLanes : unmanaged, ILanes<TLanes>;

internal static partial class ScaleSearch
{
    /// <summary>As the scalar search, for the group of every lane; <paramref name="trial"/> is as long as the groups.</summary>
    public static AffineFit<TLanes> Affine<TLanes>(ReadOnlySpan<TLanes> values, ReadOnlySpan<TLanes> weights, int limit, AffineCandidates candidates, Span<TLanes> trial)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        AffineFit<TLanes> fit = Affine<TLanes, NearRounding>(values, weights, limit, candidates, trial, out bool isNear);
        return isNear ? fit : Affine<TLanes, AnyRounding>(values, weights, limit, candidates, trial, out _);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static AffineFit<TLanes> Affine<TLanes, TRounding>(
        ReadOnlySpan<TLanes> values, ReadOnlySpan<TLanes> weights, int limit, AffineCandidates candidates, Span<TLanes> trial, out bool isNear)
        where TLanes : unmanaged, ILanes<TLanes>
        where TRounding : struct, ILaneRounding
    {
        TLanes zero = TLanes.Create(0), bound = TLanes.Create(limit);
        TLanes lowest = values[0], highest = values[0];
        TLanes sumWeights = weights[0], sumValues = sumWeights * values[0];
        for (int i = 1; i < values.Length; i++)
        {
            lowest = TLanes.Smaller(values[i], lowest);
            highest = TLanes.Larger(values[i], highest);
            sumWeights += weights[i];
            sumValues += weights[i] * values[i];
        }
        TLanes smallest = lowest;
        lowest = TLanes.Smaller(zero, lowest);
        TLanes isFlat = TLanes.Equal(highest, lowest);
        TLanes range = highest - lowest;
        TLanes bestInverse = bound / range, origin = lowest;
        // Of all numbers to be rounded those that belong to the smallest and the largest value are the extremes, unless one is NaN.
        TLanes near = TLanes.Create(NearRounding.Limit);
        TLanes isNearInAll = TLanes.Abs(bestInverse * range) < near & TLanes.Equal(sumValues, sumValues);
        TLanes scale = TLanes.Create(1) / bestInverse;
        Products<TLanes, TRounding>(values, weights, limit, bestInverse, lowest, trial);
        // Nothing is better than this, so that a flat group keeps what it has.
        TLanes bestError = TLanes.Choose(isFlat, TLanes.Create(float.NegativeInfinity), Error(values, weights, trial, scale, lowest, candidates.AbsoluteError));

        for (int candidate = 0; candidate <= candidates.Last; candidate++)
        {
            range = highest - lowest;
            TLanes inverse = TLanes.Create(candidates.First + candidates.Step * candidate + limit) / range;
            isNearInAll &= TLanes.Abs(inverse * range) < near & TLanes.Abs(inverse * (smallest - lowest)) < near;
            (TLanes sumQuants, TLanes sumSquares, TLanes sumProducts) = Products<TLanes, TRounding>(values, weights, limit, inverse, lowest, trial);
            TLanes determinant = sumWeights * sumSquares - sumQuants * sumQuants;
            TLanes trialScale = (sumWeights * sumProducts - sumValues * sumQuants) / determinant;
            TLanes trialLowest = (sumSquares * sumValues - sumQuants * sumProducts) / determinant;
            TLanes isAboveZero = trialLowest > zero;
            if (TLanes.Any(isAboveZero)) // rare, and divisions take long
            {
                trialLowest = TLanes.Choose(isAboveZero, zero, trialLowest);
                trialScale = TLanes.Choose(isAboveZero, sumProducts / sumSquares, trialScale);
            }
            TLanes error = Error(values, weights, trial, trialScale, trialLowest, candidates.AbsoluteError);
            TLanes isBetter = determinant > zero & error < bestError;
            bestError = TLanes.Choose(isBetter, error, bestError);
            scale = TLanes.Choose(isBetter, trialScale, scale);
            bestInverse = TLanes.Choose(isBetter, inverse, bestInverse);
            origin = TLanes.Choose(isBetter, lowest, origin);
            lowest = TLanes.Choose(isBetter, trialLowest, lowest);
        }
        isNear = TLanes.All(isNearInAll | isFlat);
        return new(TLanes.Choose(isFlat, zero, scale), -lowest, TLanes.Choose(isFlat, zero, bestInverse), origin);
    }

    /// <summary>Rounds to the quants of a trial and sums weight * quant, weight * quant² and weight * quant * value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TLanes Quants, TLanes Squares, TLanes Values) Products<TLanes, TRounding>(
        ReadOnlySpan<TLanes> values, ReadOnlySpan<TLanes> weights, int limit, TLanes inverse, TLanes lowest, Span<TLanes> trial)
        where TLanes : unmanaged, ILanes<TLanes>
        where TRounding : struct, ILaneRounding
    {
        TLanes first = TLanes.Create(0), last = TLanes.Create(limit);
        TLanes sumQuants = TLanes.Create(0), sumSquares = TLanes.Create(0), sumProducts = TLanes.Create(0);
        for (int i = 0; i < values.Length; i++)
        {
            TLanes value = values[i];
            TLanes quant = TRounding.Round(inverse * (value - lowest), first, last);
            trial[i] = quant;
            TLanes weighed = weights[i] * quant;
            sumQuants += weighed;
            sumSquares += weighed * quant;
            sumProducts += weighed * value;
        }
        return (sumQuants, sumSquares, sumProducts);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Error<TLanes>(ReadOnlySpan<TLanes> values, ReadOnlySpan<TLanes> weights, ReadOnlySpan<TLanes> quants, TLanes scale, TLanes lowest, bool absolute)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes error = TLanes.Create(0);
        if (absolute)
        {
            for (int i = 0; i < values.Length; i++) error += weights[i] * TLanes.Abs(scale * quants[i] + lowest - values[i]);
        }
        else
        {
            for (int i = 0; i < values.Length; i++)
            {
                TLanes difference = scale * quants[i] + lowest - values[i];
                error += weights[i] * (difference * difference);
            }
        }
        return error;
    }
}
