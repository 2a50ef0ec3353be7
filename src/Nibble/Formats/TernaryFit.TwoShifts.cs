using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

internal sealed partial class TernaryFit
{
    /// <summary>The sums before place j in ascending order, of the first eight values and of the second; places past the end repeat the last.</summary>
    private readonly HalfSums _firstHalf = new(size), _secondHalf = new(size);

    /// <summary>Chooses two points with a shift each and returns the scale, or a negative number if nothing fits.</summary>
    /// <param name="values">The group of 16, not all negligible.</param>
    /// <param name="isDown">Bit k says that the shift of point k is down.</param>
    public float SearchTwoShifts(ReadOnlySpan<float> values, out int isDown)
    {
        Sort(values);
        _firstHalf.AddUp(values, _weights, _order, start: 0);
        _secondHalf.AddUp(values, _weights, _order, start: 8);

        float best = float.MinValue, scale = 0;
        int bestFirst = -1, bestSecond = -1, bestPair = 0;
        for (int first = 0; first <= size; first++)
        {
            // Eight second cuts at a time; those past the end repeat the last, which does no harm.
            for (int second = first; second <= size; second += 8)
            {
                (Vector256<float> up0, Vector256<float> upSquare0) = _firstHalf.Sums(first, second, isDown: false);
                (Vector256<float> up1, Vector256<float> upSquare1) = _secondHalf.Sums(first, second, isDown: false);
                (Vector256<float> down0, Vector256<float> downSquare0) = _firstHalf.Sums(first, second, isDown: true);
                (Vector256<float> down1, Vector256<float> downSquare1) = _secondHalf.Sums(first, second, isDown: true);
                // The pairs of shifts in order: up up, up down, down up, down down.
                Vector256<float> v0 = up0 + up1, v1 = up0 + down1, v2 = down0 + up1, v3 = down0 + down1;
                Vector256<float> s0 = upSquare0 + upSquare1, s1 = upSquare0 + downSquare1, s2 = downSquare0 + upSquare1, s3 = downSquare0 + downSquare1;
                Vector256<float> bests = Vector256.Create(best);
                Vector256<float> isBetter = Vector256.GreaterThan(v0 * v0, bests * s0) | Vector256.GreaterThan(v1 * v1, bests * s1)
                    | Vector256.GreaterThan(v2 * v2, bests * s2) | Vector256.GreaterThan(v3 * v3, bests * s3);
                for (uint lanes = isBetter.ExtractMostSignificantBits(); lanes != 0; lanes &= lanes - 1)
                {
                    int lane = int.TrailingZeroCount((int)lanes), pair = -1;
                    if (Improves(v0[lane], s0[lane], ref best, ref scale)) pair = 0;
                    if (Improves(v1[lane], s1[lane], ref best, ref scale)) pair = 1;
                    if (Improves(v2[lane], s2[lane], ref best, ref scale)) pair = 2;
                    if (Improves(v3[lane], s3[lane], ref best, ref scale)) pair = 3;
                    if (pair >= 0) (bestFirst, bestSecond, bestPair) = (first, second + lane, pair);
                }
            }
        }
        isDown = 0;
        if (bestFirst < 0) return -1;
        if (scale < 0) bestPair = 3 - bestPair;
        isDown = bestPair >> 1 | (bestPair & 1) << 1;
        Cut(bestFirst, bestSecond, isMirrored: scale < 0);
        return ChoosePoints(values, MathF.Abs(scale), isDown);
    }

    /// <summary>Eight values of a group, in the ascending order of all.</summary>
    private sealed class HalfSums(int size)
    {
        private readonly float[] _values = new float[size + 8], _weights = new float[size + 8];

        public void AddUp(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, ReadOnlySpan<int> order, int start)
        {
            for (int j = 0; j < size; j++)
            {
                int i = order[j];
                bool isHere = i >= start && i < start + 8;
                _values[j + 1] = isHere ? _values[j] + weights[i] * values[i] : _values[j];
                _weights[j + 1] = isHere ? _weights[j] + weights[i] : _weights[j];
            }
            Array.Fill(_values, _values[size], size + 1, 7);
            Array.Fill(_weights, _weights[size], size + 1, 7);
        }

        /// <summary>
        /// The sums of weight * value * level and weight * level² for eight second cuts: what they were with all at the highest
        /// level, less what each cut takes from the places before it. Neighbouring levels are 1 apart.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public (Vector256<float> ValueLevel, Vector256<float> LevelLevel) Sums(int first, int second, bool isDown)
        {
            Vector256<float> levels = Levels(isDown);
            float low = levels[0], middle = levels[1], high = levels[2];
            Vector256<float> values = Vector256.LoadUnsafe(in _values[second]), weights = Vector256.LoadUnsafe(in _weights[second]);
            return (Vector256.Create(_values[size] * high) - (Vector256.Create(_values[first]) + values),
                Vector256.Create(_weights[size] * high * high + _weights[first] * (low * low - middle * middle)) + weights * Vector256.Create(middle * middle - high * high));
        }
    }
}
