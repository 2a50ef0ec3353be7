using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

internal sealed partial class TernaryFit
{
    /// <summary>Before place j in ascending order, the sums of weight * value and of weight; places past the end hold NaN, which is never better.</summary>
    private readonly float[] _sumsOfValues = EndingInNaN(size), _sumsOfWeights = EndingInNaN(size);

    /// <summary>The sums of weight * value * level and of weight * level² for all cuts, with the shift up and down one after the other.</summary>
    private readonly float[] _valueLevels = new float[16 * CutVectors(size)], _levelLevels = new float[16 * CutVectors(size)];

    private static float[] EndingInNaN(int size)
    {
        float[] sums = new float[size + 8];
        Array.Fill(sums, float.NaN, size + 1, 7);
        return sums;
    }

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
        BestCut best = AddUpCuts();
        float scale;
        int bestFirst, bestSecond;
        if (best.TryFind(_valueLevels, _levelLevels, out int place))
        {
            isDown = place >= _valueLevels.Length / 2;
            scale = _valueLevels[place] / _levelLevels[place];
            (bestFirst, bestSecond) = CutsAt(place % (_valueLevels.Length / 2));
        }
        else
        {
            scale = SearchInOrder(out bestFirst, out bestSecond, out isDown);
            if (bestFirst < 0) return -1;
        }
        isDown ^= scale < 0;
        Cut(bestFirst, bestSecond, isMirrored: scale < 0);
        return ChoosePoints(values, MathF.Abs(scale), isDown ? -1 : 0);
    }

    /// <summary>The sums for all cuts.</summary>
    private BestCut AddUpCuts()
    {
        Vector256<float> up = Levels(down: false), down = Levels(down: true);
        Vector256<float> upLow = Vector256.Create(up[0]), upMiddle = Vector256.Create(up[1]), upHigh = Vector256.Create(up[2]);
        Vector256<float> downLow = Vector256.Create(down[0]), downMiddle = Vector256.Create(down[1]), downHigh = Vector256.Create(down[2]);
        Vector256<float> allValues = Vector256.Create(_sumsOfValues[size]), allWeights = Vector256.Create(_sumsOfWeights[size]);
        ref readonly float sumOfValues = ref _sumsOfValues[0], sumOfWeights = ref _sumsOfWeights[0];
        ref float upValues = ref _valueLevels[0], upWeights = ref _levelLevels[0];
        ref float downValues = ref _valueLevels[_valueLevels.Length / 2], downWeights = ref _levelLevels[_levelLevels.Length / 2];
        BestCut bestUp = new(), bestDown = new();
        nuint place = 0;
        for (int first = 0; first <= size; first++)
        {
            Vector256<float> valuesBelow = Vector256.Create(_sumsOfValues[first]), weightsBelow = Vector256.Create(_sumsOfWeights[first]);
            Vector256<float> upLowValues = valuesBelow * upLow, upLowWeights = weightsBelow * upLow * upLow;
            Vector256<float> downLowValues = valuesBelow * downLow, downLowWeights = weightsBelow * downLow * downLow;
            for (int second = first; second <= size; second += 8, place += 8)
            {
                Vector256<float> values = Vector256.LoadUnsafe(in sumOfValues, (nuint)second), weights = Vector256.LoadUnsafe(in sumOfWeights, (nuint)second);
                Vector256<float> valuesBetween = values - valuesBelow, weightsBetween = weights - weightsBelow;
                values = allValues - values;
                weights = allWeights - weights;
                Keep(upLowValues + valuesBetween * upMiddle + values * upHigh,
                    upLowWeights + weightsBetween * upMiddle * upMiddle + weights * upHigh * upHigh, ref upValues, ref upWeights, place, ref bestUp);
                Keep(downLowValues + valuesBetween * downMiddle + values * downHigh,
                    downLowWeights + weightsBetween * downMiddle * downMiddle + weights * downHigh * downHigh, ref downValues, ref downWeights, place, ref bestDown);
            }
        }
        bestUp.Join(bestDown);
        return bestUp;
    }

    /// <summary>Goes from one improvement to the next; gives negative cuts if there is none.</summary>
    private float SearchInOrder(out int bestFirst, out int bestSecond, out bool isDown)
    {
        float best = float.MinValue, scale = 0;
        (bestFirst, bestSecond, isDown) = (-1, -1, false);
        int down = _valueLevels.Length / 2, place = 0;
        for (int first = 0; first <= size; first++)
        {
            for (int second = first; second <= size; second++)
            {
                int lane = place + second - first;
                if (Improves(_valueLevels[lane], _levelLevels[lane], ref best, ref scale)) (bestFirst, bestSecond, isDown) = (first, second, false);
                if (Improves(_valueLevels[down + lane], _levelLevels[down + lane], ref best, ref scale)) (bestFirst, bestSecond, isDown) = (first, second, true);
            }
            place += ((size - first) / 8 + 1) * 8;
        }
        return scale;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Improves(float valueLevel, float levelLevel, ref float best, ref float scale)
    {
        if (!(levelLevel > 0 && valueLevel * valueLevel > best * levelLevel)) return false;
        scale = valueLevel / levelLevel;
        best = scale * valueLevel;
        return true;
    }
}
