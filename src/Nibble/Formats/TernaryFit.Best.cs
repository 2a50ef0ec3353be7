using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

internal sealed partial class TernaryFit
{
    /// <summary>
    /// Finds the best of all cuts at once. The search goes from one improvement to the next, by comparisons that rounding blurs; but
    /// where one cut is better than every other by far more than rounding, it is what such a search ends with, whatever came before.
    /// </summary>
    private struct BestCut()
    {
        /// <summary>By how much the best must be better, some hundred times what the roundings of a comparison add up to.</summary>
        private const float Lead = 1e-5f;

        /// <summary>In every lane of the best until now: the square of the sum of weight * value * level, and the sum of weight * level².</summary>
        private Vector256<float> _square = Vector256<float>.Zero, _levelLevel = Vector256<float>.One;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Consider(Vector256<float> valueLevel, Vector256<float> levelLevel) => ConsiderSquare(valueLevel * valueLevel, levelLevel);

        /// <summary>Each comparison waits for the one before, so cuts are better considered by several of these in turn.</summary>
        public void Join(BestCut other) => ConsiderSquare(other._square, other._levelLevel);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void ConsiderSquare(Vector256<float> square, Vector256<float> levelLevel)
        {
            Vector256<float> isBetter = Vector256.GreaterThan(square * _levelLevel, _square * levelLevel);
            _square = Vector256.ConditionalSelect(isBetter, square, _square);
            _levelLevel = Vector256.ConditionalSelect(isBetter, levelLevel, _levelLevel);
        }

        /// <summary>Where the only cut is that comes near the best, if there is only one.</summary>
        /// <param name="valueLevels">Of all cuts that were considered, in eights.</param>
        /// <param name="levelLevels">As many.</param>
        /// <param name="place">The place of the cut among them.</param>
        public readonly bool TryFind(ReadOnlySpan<float> valueLevels, ReadOnlySpan<float> levelLevels, out int place)
        {
            Debug.Assert(valueLevels.Length == levelLevels.Length && valueLevels.Length % 8 == 0, "whole vectors");
            place = -1;
            Vector256<float> scores = _square / _levelLevel;
            float best = 0, square = 0, levelLevel = 0;
            for (int lane = 0; lane < 8; lane++)
                if (scores[lane] > best) (best, square, levelLevel) = (scores[lane], _square[lane], _levelLevel[lane]);
            // Far from where products overflow or lose digits.
            if (!(square is > 1e-30f and < 1e30f && levelLevel is > 1e-30f and < 1e30f)) return false;
            Vector256<float> limit = Vector256.Create(best * (1 - Lead));
            ref readonly float value = ref MemoryMarshal.GetReference(valueLevels), level = ref MemoryMarshal.GetReference(levelLevels);
            for (int i = 0; i < valueLevels.Length; i += 8)
            {
                Vector256<float> valueLevel = Vector256.LoadUnsafe(in value, (nuint)i);
                uint lanes = Vector256.GreaterThan(valueLevel * valueLevel, limit * Vector256.LoadUnsafe(in level, (nuint)i)).ExtractMostSignificantBits();
                if (lanes == 0) continue;
                if (place >= 0 || !BitOperations.IsPow2(lanes)) return false;
                place = i + BitOperations.TrailingZeroCount(lanes);
            }
            return place >= 0;
        }
    }

    /// <summary>Vectors that cover every pair of cuts.</summary>
    private static int CutVectors(int size)
    {
        int vectors = 0;
        for (int first = 0; first <= size; first++) vectors += (size - first) / 8 + 1;
        return vectors;
    }

    /// <summary>The cuts at a place of such vectors.</summary>
    private (int First, int Second) CutsAt(int place)
    {
        int first = 0;
        for (; place >= ((size - first) / 8 + 1) * 8; first++) place -= ((size - first) / 8 + 1) * 8;
        return (first, first + place);
    }
}
