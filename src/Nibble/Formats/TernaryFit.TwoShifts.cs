using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

internal sealed partial class TernaryFit
{
    /// <summary>
    /// Before place j in ascending order, the sums of weight * value and of weight, of the first eight values and of the second; places
    /// past the end hold NaN, which is never better.
    /// </summary>
    private readonly float[] _values0 = EndingInNaN(size), _values1 = EndingInNaN(size), _weights0 = EndingInNaN(size), _weights1 = EndingInNaN(size);

    /// <summary>The sums of weight * value * level and of weight * level² for all cuts, with one pair of shifts after the other.</summary>
    private readonly float[] _pairValueLevels = new float[32 * CutVectors(size)], _pairLevelLevels = new float[32 * CutVectors(size)];

    /// <summary>Chooses two points with a shift each and returns the scale, or a negative number if nothing fits.</summary>
    /// <param name="values">The group of 16, not all negligible.</param>
    /// <param name="isDown">Bit k says that the shift of point k is down.</param>
    public float SearchTwoShifts(ReadOnlySpan<float> values, out int isDown)
    {
        Sort(values);
        AddUpHalves(values);
        BestCut best = AddUpPairs();
        float scale;
        int bestFirst, bestSecond, bestPair, cuts = _pairValueLevels.Length / 4;
        isDown = 0;
        if (best.TryFind(_pairValueLevels, _pairLevelLevels, out int place))
        {
            bestPair = place / cuts;
            scale = _pairValueLevels[place] / _pairLevelLevels[place];
            (bestFirst, bestSecond) = CutsAt(place % cuts);
        }
        else
        {
            scale = SearchPairsInOrder(out bestFirst, out bestSecond, out bestPair);
            if (bestFirst < 0) return -1;
        }
        if (scale < 0) bestPair = 3 - bestPair;
        isDown = bestPair >> 1 | (bestPair & 1) << 1;
        Cut(bestFirst, bestSecond, isMirrored: scale < 0);
        return ChoosePoints(values, MathF.Abs(scale), isDown);
    }

    private void AddUpHalves(ReadOnlySpan<float> values)
    {
        // Values and weights of the first half, values and weights of the second; what is not in a half adds zero to it.
        Vector128<float> sums = Vector128<float>.Zero, first = Vector128.Create(-1, -1, 0, 0).AsSingle();
        for (int j = 0; j < size; j++)
        {
            int i = _order[j];
            Vector128<float> half = Vector128.Equals(Vector128.Create(i & 8), Vector128<int>.Zero).AsSingle();
            float weight = _weights[i], product = weight * values[i];
            sums += Vector128.Create(product, weight, product, weight) & ~(half ^ first);
            _values0[j + 1] = sums[0];
            _weights0[j + 1] = sums[1];
            _values1[j + 1] = sums[2];
            _weights1[j + 1] = sums[3];
        }
    }

    /// <summary>
    /// The sums for all cuts and pairs of shifts, in this order: up up, up down, down up, down down. They are what they were with all
    /// at the highest level, less what each cut takes from the places before it; neighbouring levels are 1 apart.
    /// </summary>
    private BestCut AddUpPairs()
    {
        Vector256<float> up = Levels(down: false), down = Levels(down: true);
        float upHigh = up[2], downHigh = down[2], upLow = up[0] * up[0] - up[1] * up[1], downLow = down[0] * down[0] - down[1] * down[1];
        Vector256<float> upMiddle = Vector256.Create(up[1] * up[1] - up[2] * up[2]), downMiddle = Vector256.Create(down[1] * down[1] - down[2] * down[2]);
        float values0 = _values0[size], values1 = _values1[size], weights0 = _weights0[size], weights1 = _weights1[size];
        Vector256<float> upTop0 = Vector256.Create(values0 * upHigh), upTop1 = Vector256.Create(values1 * upHigh);
        Vector256<float> downTop0 = Vector256.Create(values0 * downHigh), downTop1 = Vector256.Create(values1 * downHigh);
        ref float valueLevel = ref _pairValueLevels[0], levelLevel = ref _pairLevelLevels[0];
        ref readonly float v0 = ref _values0[0], v1 = ref _values1[0], w0 = ref _weights0[0], w1 = ref _weights1[0];
        BestCut best0 = new(), best1 = new(), best2 = new(), best3 = new();
        nuint place = 0, cuts = (nuint)_pairValueLevels.Length / 4;
        for (int first = 0; first <= size; first++)
        {
            Vector256<float> below0 = Vector256.Create(_values0[first]), below1 = Vector256.Create(_values1[first]);
            Vector256<float> upBase0 = Vector256.Create(weights0 * upHigh * upHigh + _weights0[first] * upLow), upBase1 = Vector256.Create(weights1 * upHigh * upHigh + _weights1[first] * upLow);
            Vector256<float> downBase0 = Vector256.Create(weights0 * downHigh * downHigh + _weights0[first] * downLow), downBase1 = Vector256.Create(weights1 * downHigh * downHigh + _weights1[first] * downLow);
            for (int second = first; second <= size; second += 8, place += 8)
            {
                Vector256<float> taken0 = below0 + Vector256.LoadUnsafe(in v0, (nuint)second), taken1 = below1 + Vector256.LoadUnsafe(in v1, (nuint)second);
                Vector256<float> second0 = Vector256.LoadUnsafe(in w0, (nuint)second), second1 = Vector256.LoadUnsafe(in w1, (nuint)second);
                Vector256<float> upSquare0 = upBase0 + second0 * upMiddle, upSquare1 = upBase1 + second1 * upMiddle;
                Vector256<float> downSquare0 = downBase0 + second0 * downMiddle, downSquare1 = downBase1 + second1 * downMiddle;
                Vector256<float> up0 = upTop0 - taken0, up1 = upTop1 - taken1, down0 = downTop0 - taken0, down1 = downTop1 - taken1;
                Keep(up0 + up1, upSquare0 + upSquare1, ref valueLevel, ref levelLevel, place, ref best0);
                Keep(up0 + down1, upSquare0 + downSquare1, ref valueLevel, ref levelLevel, cuts + place, ref best1);
                Keep(down0 + up1, downSquare0 + upSquare1, ref valueLevel, ref levelLevel, 2 * cuts + place, ref best2);
                Keep(down0 + down1, downSquare0 + downSquare1, ref valueLevel, ref levelLevel, 3 * cuts + place, ref best3);
            }
        }
        best0.Join(best1);
        best2.Join(best3);
        best0.Join(best2);
        return best0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(Vector256<float> v, Vector256<float> l, ref float valueLevel, ref float levelLevel, nuint place, ref BestCut best)
    {
        v.StoreUnsafe(ref valueLevel, place);
        l.StoreUnsafe(ref levelLevel, place);
        best.Consider(v, l);
    }

    /// <summary>Goes from one improvement to the next; gives negative cuts if there is none.</summary>
    private float SearchPairsInOrder(out int bestFirst, out int bestSecond, out int bestPair)
    {
        float best = float.MinValue, scale = 0;
        (bestFirst, bestSecond, bestPair) = (-1, -1, 0);
        int cuts = _pairValueLevels.Length / 4, place = 0;
        for (int first = 0; first <= size; first++)
        {
            for (int second = first; second <= size; second++)
            {
                for (int pair = 0; pair < 4; pair++)
                {
                    int lane = pair * cuts + place + second - first;
                    if (Improves(_pairValueLevels[lane], _pairLevelLevels[lane], ref best, ref scale)) (bestFirst, bestSecond, bestPair) = (first, second, pair);
                }
            }
            place += ((size - first) / 8 + 1) * 8;
        }
        return scale;
    }
}
