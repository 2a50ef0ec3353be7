using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

internal sealed partial class TernaryFit
{
    /// <summary>Before place j in ascending order, the sums of weight * value and of weight; places past the end repeat the last.</summary>
    private readonly float[] _sumsOfValues = new float[size + 8], _sumsOfWeights = new float[size + 8];

    /// <summary>Chooses points that share one shift and returns the scale, or a negative number if nothing fits.</summary>
    /// <param name="values">The group, not all negligible.</param>
    /// <param name="isDown">Whether the shift is down.</param>
    public float SearchOneShift(ReadOnlySpan<float> values, out bool isDown)
    {
        Sort(values);
        for (int j = 0; j < size; j++)
        {
            int i = _order[j];
            _sumsOfValues[j + 1] = _sumsOfValues[j] + _weights[i] * values[i];
            _sumsOfWeights[j + 1] = _sumsOfWeights[j] + _weights[i];
        }
        Array.Fill(_sumsOfValues, _sumsOfValues[size], size + 1, 7);
        Array.Fill(_sumsOfWeights, _sumsOfWeights[size], size + 1, 7);

        float best = float.MinValue, scale = 0;
        int bestFirst = -1, bestSecond = -1;
        isDown = false;
        for (int first = 0; first <= size; first++)
        {
            // Eight second cuts at a time; those past the end repeat the last, which does not improve on itself.
            for (int second = first; second <= size; second += 8)
            {
                (Vector256<float> upValueLevel, Vector256<float> upLevelLevel) = Sums(first, second, isDown: false);
                (Vector256<float> downValueLevel, Vector256<float> downLevelLevel) = Sums(first, second, isDown: true);
                Vector256<float> bests = Vector256.Create(best);
                Vector256<float> isBetter = Vector256.GreaterThan(upValueLevel * upValueLevel, bests * upLevelLevel)
                    | Vector256.GreaterThan(downValueLevel * downValueLevel, bests * downLevelLevel);
                for (uint lanes = isBetter.ExtractMostSignificantBits(); lanes != 0; lanes &= lanes - 1)
                {
                    int lane = int.TrailingZeroCount((int)lanes);
                    if (Improves(upValueLevel[lane], upLevelLevel[lane], ref best, ref scale)) (bestFirst, bestSecond, isDown) = (first, second + lane, false);
                    if (Improves(downValueLevel[lane], downLevelLevel[lane], ref best, ref scale)) (bestFirst, bestSecond, isDown) = (first, second + lane, true);
                }
            }
        }
        if (bestFirst < 0) return -1;
        isDown ^= scale < 0;
        Cut(bestFirst, bestSecond, isMirrored: scale < 0);
        return ChoosePoints(values, MathF.Abs(scale), isDown ? -1 : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Improves(float valueLevel, float levelLevel, ref float best, ref float scale)
    {
        if (!(levelLevel > 0 && valueLevel * valueLevel > best * levelLevel)) return false;
        scale = valueLevel / levelLevel;
        best = scale * valueLevel;
        return true;
    }

    /// <summary>The sums of weight * value * level and weight * level² for eight second cuts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (Vector256<float> ValueLevel, Vector256<float> LevelLevel) Sums(int first, int second, bool isDown)
    {
        Vector256<float> levels = Levels(isDown);
        Vector256<float> low = Vector256.Create(levels[0]), middle = Vector256.Create(levels[1]), high = Vector256.Create(levels[2]);
        Vector256<float> values = Vector256.LoadUnsafe(in _sumsOfValues[second]), weights = Vector256.LoadUnsafe(in _sumsOfWeights[second]);
        Vector256<float> valuesBelow = Vector256.Create(_sumsOfValues[first]), weightsBelow = Vector256.Create(_sumsOfWeights[first]);
        return (valuesBelow * low + (values - valuesBelow) * middle + (Vector256.Create(_sumsOfValues[size]) - values) * high,
            weightsBelow * low * low + (weights - weightsBelow) * middle * middle + (Vector256.Create(_sumsOfWeights[size]) - weights) * high * high);
    }
}
