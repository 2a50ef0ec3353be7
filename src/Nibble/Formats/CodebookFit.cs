using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Formats;

/// <summary>Which points <see cref="CodebookFit"/> chooses anew once the best scale is known.</summary>
internal enum Refit
{
    /// <summary>Those where rounding had led to a point that is not in the book.</summary>
    OffBook,

    /// <summary>All, if there was one such.</summary>
    AllIfAnyOffBook,

    /// <summary>All.</summary>
    All,
}

/// <summary>
/// Fits a group of 16 or 32 values by points of a codebook, a scale and signs: <c>value = ±scale * (2 * coordinate + 1)</c>. It
/// holds the buffers of the search, so one serves a whole row. The order of operations is that of llama.cpp's quantizers: the same
/// input gives the same bytes. Candidates lie side by side in vectors, so each keeps that order.
/// </summary>
/// <param name="book">The codebook.</param>
/// <param name="size">Values of a group.</param>
/// <param name="steps">Scales to try on each side of the one that just fits the largest value.</param>
/// <param name="step">How far apart they are, in levels of the largest value.</param>
/// <param name="refit">Which points to choose anew at the end.</param>
internal sealed class CodebookFit(Codebook book, int size, int steps, float step, Refit refit)
{
    private readonly float[] _magnitudes = new float[size], _weights = new float[size], _roots = new float[size], _products = new float[size];

    /// <summary><c>[points of the group, candidates]</c>, the candidates of the points in eights.</summary>
    private readonly int[] _codes = new int[size / book.Dimensions * ((2 * steps + 8) / 8 * 8)];
    private readonly float[] _valueLevel = new float[(2 * steps + 8) / 8 * 8], _levelLevel = new float[(2 * steps + 8) / 8 * 8];

    /// <summary>By candidate, bit k says that point k was not in the book.</summary>
    private readonly int[] _offBook = new int[(2 * steps + 8) / 8 * 8];
    private readonly int[] _chosen = new int[size / book.Dimensions];
    private readonly Vector256<float> _levels = book.Levels == 3 ? Vector256.Create(1f, 3, 5, 7, 1, 3, 5, 7) : Vector256.Create(1f, 3, 5, 7, 9, 11, 13, 15);

    /// <summary>How much each error counts; to be set before <see cref="Start"/>.</summary>
    public Span<float> Weights => _weights;

    /// <summary>The values without their signs.</summary>
    public Span<float> Magnitudes => _magnitudes;

    /// <summary>Bit i is set where value i is negative.</summary>
    public uint Signs { get; private set; }

    /// <summary>The index of a chosen point.</summary>
    public int Index(int point) => book.IndexOf(_chosen[point]);

    /// <summary>
    /// Takes the signs off the values and returns the largest. With <paramref name="evenSigns"/> each eight of them get an even
    /// number of negative signs, so that the eighth needs not be stored: where the number is odd, the value whose error counts
    /// least gets the wrong one.
    /// </summary>
    public float Start(ReadOnlySpan<float> values, bool evenSigns)
    {
        uint signs = 0;
        for (int i = 0; i < size; i++)
        {
            bool isNegative = !(values[i] >= 0);
            _magnitudes[i] = isNegative ? -values[i] : values[i];
            if (isNegative) signs |= 1u << i;
            _roots[i] = MathF.Sqrt(_weights[i]);
        }
        for (int start = 0; evenSigns && start < size; start += 8)
        {
            if (uint.PopCount(signs >> start & 255) % 2 == 0) continue;
            int least = start;
            float leastError = _weights[start] * values[start] * values[start];
            for (int i = start + 1; i < start + 8; i++)
            {
                float error = _weights[i] * values[i] * values[i];
                if (error < leastError)
                {
                    leastError = error;
                    least = i;
                }
            }
            _magnitudes[least] = -_magnitudes[least];
            signs ^= 1u << least;
        }
        Signs = signs;
        float largest = _magnitudes[0];
        for (int i = 1; i < size; i++)
        {
            largest = largest > _magnitudes[i] ? largest : _magnitudes[i];
        }
        Array.Clear(_chosen);
        return largest;
    }

    /// <summary>
    /// Chooses the points and returns the scale, which is not negative: should it come out so, the signs turn round.
    /// </summary>
    /// <param name="largest">What the largest level stands for in the middle candidate.</param>
    /// <param name="scale">The scale if no candidate is any good.</param>
    public float Search(float largest, float scale)
    {
        int top = 2 * book.Levels - 1, candidates = 2 * steps + 1;
        for (int candidate = 0; candidate < candidates; candidate++) Round(candidate, (top + (candidate - steps) * step) / largest);
        AddUp();
        float best = 0;
        int chosen = -1;
        for (int candidate = 0; candidate < candidates; candidate++)
        {
            float valueLevel = _valueLevel[candidate], levelLevel = _levelLevel[candidate];
            if (levelLevel > 0 && valueLevel * valueLevel > best * levelLevel)
            {
                scale = valueLevel / levelLevel;
                best = scale * valueLevel;
                chosen = candidate;
            }
        }
        int offBook = 0;
        if (chosen >= 0)
        {
            for (int point = 0; point < _chosen.Length; point++) _chosen[point] = _codes[point * _offBook.Length + chosen];
            offBook = _offBook[chosen];
        }
        else if (refit == Refit.AllIfAnyOffBook)
        {
            offBook = -1;
        }
        if ((refit == Refit.All || offBook != 0) && scale > 0) scale = RefitPoints(refit == Refit.OffBook ? offBook : -1, scale);
        if (scale < 0)
        {
            scale = -scale;
            Signs = ~Signs;
        }
        return scale;
    }

    /// <summary>The points of one candidate.</summary>
    private void Round(int candidate, float inverse)
    {
        float scale = 1 / inverse;
        int offBook = 0;
        for (int start = 0; start < size; start += 8)
        {
            Vector256<int> coordinates = Coordinates(Vector256.LoadUnsafe(in _magnitudes[start]), inverse);
            Vector128<short> words = Vector128.Narrow(coordinates.GetLower(), coordinates.GetUpper());
            ulong bytes = Vector128.Narrow(words, words).AsUInt64().ToScalar();
            // From eight bytes to four pairs of coordinates, to two fours, to one eight.
            if (book.Dimensions == 8)
            {
                bytes = (bytes | bytes >> 6) & 0x000f_000f_000f_000f;
                bytes = (bytes | bytes >> 12) & 0x0000_00ff_0000_00ff;
                offBook |= Place(candidate, start / 8, (int)(bytes | bytes >> 24) & 0xffff, scale);
            }
            else
            {
                bytes = (bytes | bytes >> 5) & 0x003f_003f_003f_003f;
                bytes |= bytes >> 10;
                offBook |= Place(candidate, start / 4, (int)bytes & 0xfff, scale);
                offBook |= Place(candidate, start / 4 + 1, (int)(bytes >> 32) & 0xfff, scale);
            }
        }
        _offBook[candidate] = offBook;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Place(int candidate, int point, int code, float scale)
    {
        ref int place = ref _codes[point * _offBook.Length + candidate];
        place = InBook(point, code, scale);
        return place == code ? 0 : 1 << point;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int InBook(int point, int code, float scale)
    {
        if (book.IndexOf(code) >= 0) return code;
        int start = point * book.Dimensions;
        return book.Nearest(code, _magnitudes.AsSpan(start, book.Dimensions), _roots.AsSpan(start, book.Dimensions), scale, _levels);
    }

    /// <summary>The coordinates whose levels are nearest to eight values divided by the scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<int> Coordinates(Vector256<float> values, float inverse)
    {
        // As Rounding.ToEven: 1.5 * 2^23 pushes the fraction out.
        Vector256<float> pushed = Vector256.Create(0.5f) * (Vector256.Create(inverse) * values - Vector256<float>.One) + Vector256.Create(12_582_912f);
        Vector256<int> rounded = (pushed.AsInt32() & Vector256.Create(0x7f_ffff)) - Vector256.Create(0x40_0000);
        return Vector256.Max(Vector256<int>.Zero, Vector256.Min(Vector256.Create(book.Levels - 1), rounded));
    }

    /// <summary>For each candidate the sums of weight * value * level and of weight * level².</summary>
    private void AddUp()
    {
        for (int i = 0; i < size; i++) _products[i] = _weights[i] * _magnitudes[i];
        Vector256<int> mask = Vector256.Create((1 << book.Bits) - 1);
        for (int start = 0; start < _offBook.Length; start += 8)
        {
            Vector256<float> valueLevel = Vector256<float>.Zero, levelLevel = Vector256<float>.Zero;
            int i = 0;
            for (int point = 0; point < _chosen.Length; point++)
            {
                Vector256<int> codes = Vector256.LoadUnsafe(in _codes[point * _offBook.Length + start]);
                for (int end = i + book.Dimensions; i < end; i++, codes >>= book.Bits)
                {
                    Vector256<int> coordinates = codes & mask;
                    Vector256<float> levels = Vector256.ConvertToSingle(coordinates + coordinates + Vector256<int>.One);
                    valueLevel += Vector256.Create(_products[i]) * levels;
                    levelLevel += Vector256.Create(_weights[i]) * levels * levels;
                }
            }
            valueLevel.StoreUnsafe(ref _valueLevel[start]);
            levelLevel.StoreUnsafe(ref _levelLevel[start]);
        }
    }

    /// <summary>Chooses the points whose bits are set again, with the scale that was found, and returns the best scale for them.</summary>
    private float RefitPoints(int points, float scale)
    {
        Span<int> coordinates = stackalloc int[8];
        float inverse = 1 / scale;
        for (int point = 0; point < _chosen.Length; point++)
        {
            if ((points >> point & 1) == 0) continue;
            int start = point * book.Dimensions, code = 0;
            Coordinates(Vector256.LoadUnsafe(in _magnitudes[start & ~7]), inverse).StoreUnsafe(ref MemoryMarshal.GetReference(coordinates));
            for (int i = 0; i < book.Dimensions; i++) code |= coordinates[(start & 7) + i] << book.Bits * i;
            _chosen[point] = InBook(point, code, scale);
        }
        float valueLevel = 0, levelLevel = 0;
        for (int i = 0; i < size; i++)
        {
            float weight = _weights[i], level = 2 * book.Coordinate(_chosen[i / book.Dimensions], i % book.Dimensions) + 1;
            valueLevel += weight * _magnitudes[i] * level;
            levelLevel += weight * level * level;
        }
        return levelLevel > 0 ? valueLevel / levelLevel : scale;
    }
}
