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

    /// <summary>By candidate what the largest value is to become, in multiples of half a step between levels; in eights, of which the last repeats.</summary>
    private readonly float[] _tops = [.. Enumerable.Range(0, (2 * steps + 8) / 8 * 8).Select(c => 2 * book.Levels - 1 + (Math.Min(c, 2 * steps) - steps) * step)];

    /// <summary>By candidate.</summary>
    private readonly float[] _inverses = new float[(2 * steps + 8) / 8 * 8], _scales = new float[(2 * steps + 8) / 8 * 8];

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
        bool areNumbers = true;
        for (int start = 0; start < size; start += 8)
        {
            Vector256<float> eight = Vector256.Create(values[start..]), weights = Vector256.LoadUnsafe(in _weights[start]);
            Vector256<float> isNegative = ~Vector256.GreaterThanOrEqual(eight, Vector256<float>.Zero), errors = weights * eight * eight;
            (eight ^ isNegative & Vector256.Create(-0f)).StoreUnsafe(ref _magnitudes[start]);
            Vector256.Sqrt(weights).StoreUnsafe(ref _roots[start]);
            areNumbers &= Vector256.EqualsAll(errors, errors);
            uint negative = isNegative.ExtractMostSignificantBits();
            if (evenSigns && uint.PopCount(negative) % 2 != 0)
            {
                int least = Vector256.EqualsAll(errors, errors) ? FirstLeast(errors) : FirstLeastOfAny(errors);
                _magnitudes[start + least] = -_magnitudes[start + least];
                negative ^= 1u << least;
            }
            signs |= negative << start;
        }
        Signs = signs;
        Array.Clear(_chosen);
        return areNumbers ? Largest() : LargestOfAny();
    }

    /// <summary>The largest of magnitudes that are numbers.</summary>
    private float Largest()
    {
        Vector256<float> largest = Vector256.LoadUnsafe(in _magnitudes[0]);
        for (int start = 8; start < size; start += 8)
        {
            Vector256<float> eight = Vector256.LoadUnsafe(in _magnitudes[start]);
            largest = Vector256.ConditionalSelect(Vector256.GreaterThan(largest, eight), largest, eight);
        }
        Vector128<float> four = Vector128.ConditionalSelect(Vector128.GreaterThan(largest.GetLower(), largest.GetUpper()), largest.GetLower(), largest.GetUpper());
        return MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3]));
    }

    /// <summary>The same, where after NaN what follows counts as larger.</summary>
    private float LargestOfAny()
    {
        float largest = _magnitudes[0];
        foreach (float magnitude in _magnitudes) largest = largest > magnitude ? largest : magnitude;
        return largest;
    }

    /// <summary>The lane of the least of eight numbers, the first of several.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int FirstLeast(Vector256<float> numbers)
    {
        Vector256<float> other = Vector256.Shuffle(numbers, Vector256.Create(4, 5, 6, 7, 0, 1, 2, 3));
        Vector256<float> least = Vector256.ConditionalSelect(Vector256.LessThan(numbers, other), numbers, other);
        other = Vector256.Shuffle(least, Vector256.Create(2, 3, 0, 1, 6, 7, 4, 5));
        least = Vector256.ConditionalSelect(Vector256.LessThan(least, other), least, other);
        other = Vector256.Shuffle(least, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6));
        least = Vector256.ConditionalSelect(Vector256.LessThan(least, other), least, other);
        return int.TrailingZeroCount((int)Vector256.Equals(numbers, least).ExtractMostSignificantBits());
    }

    /// <summary>As <see cref="FirstLeast"/>, where nothing is less than NaN nor more.</summary>
    private static int FirstLeastOfAny(Vector256<float> errors)
    {
        int least = 0;
        for (int i = 1; i < 8; i++)
            if (errors[i] < errors[least]) least = i;
        return least;
    }

    /// <summary>
    /// Chooses the points and returns the scale, which is not negative: should it come out so, the signs turn round.
    /// </summary>
    /// <param name="largest">What the largest level stands for in the middle candidate.</param>
    /// <param name="scale">The scale if no candidate is any good.</param>
    public float Search(float largest, float scale)
    {
        for (int start = 0; start < _tops.Length; start += 8)
        {
            Vector256<float> inverses = Vector256.LoadUnsafe(in _tops[start]) / Vector256.Create(largest);
            inverses.StoreUnsafe(ref _inverses[start]);
            (Vector256<float>.One / inverses).StoreUnsafe(ref _scales[start]);
        }
        Array.Clear(_offBook);
        for (int point = 0; point < _chosen.Length; point++)
        {
            Round(point);
            Replace(point);
        }
        AddUp();
        float best = 0;
        int chosen = -1;
        for (int candidate = 0; candidate <= 2 * steps; candidate++)
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

    /// <summary>What a point is rounded to by every candidate.</summary>
    private void Round(int point)
    {
        ref readonly float magnitude = ref _magnitudes[point * book.Dimensions];
        int bits = book.Bits;
        for (int start = 0; start < _offBook.Length; start += 8)
        {
            Vector256<float> inverses = Vector256.LoadUnsafe(in _inverses[start]);
            Vector256<int> codes = Vector256<int>.Zero;
            for (int i = book.Dimensions - 1; i >= 0; i--) codes = codes << bits | Coordinates(Vector256.Create(Unsafe.Add(ref Unsafe.AsRef(in magnitude), i)), inverses);
            codes.StoreUnsafe(ref _codes[point * _offBook.Length + start]);
        }
    }

    /// <summary>Replaces what is not in the book, for every candidate of a point.</summary>
    private void Replace(int point)
    {
        // Neighbouring candidates mostly lead to the same code, so one point's are dealt with before those of the next.
        Span<int> codes = _codes.AsSpan(point * _offBook.Length, 2 * steps + 1);
        ReadOnlySpan<float> values = _magnitudes.AsSpan(point * book.Dimensions, book.Dimensions), roots = _roots.AsSpan(point * book.Dimensions, book.Dimensions);
        ReadOnlySpan<ushort> neighbours = [];
        int last = -1;
        for (int candidate = 0; candidate < codes.Length; candidate++)
        {
            int code = codes[candidate];
            if (code != last)
            {
                last = code;
                neighbours = book.NeighboursOf(code);
            }
            if (neighbours.IsEmpty) continue;
            codes[candidate] = book.Nearest(neighbours, values, roots, _scales[candidate], _levels);
            _offBook[candidate] |= 1 << point;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int InBook(int point, int code, float scale)
    {
        ReadOnlySpan<ushort> neighbours = book.NeighboursOf(code);
        if (neighbours.IsEmpty) return code;
        int start = point * book.Dimensions;
        return book.Nearest(neighbours, _magnitudes.AsSpan(start, book.Dimensions), _roots.AsSpan(start, book.Dimensions), scale, _levels);
    }

    /// <summary>The coordinates whose levels are nearest to values divided by scales.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<int> Coordinates(Vector256<float> values, Vector256<float> inverses)
    {
        // As Rounding.ToEven: 1.5 * 2^23 pushes the fraction out.
        Vector256<float> pushed = Vector256.Create(0.5f) * (inverses * values - Vector256<float>.One) + Vector256.Create(12_582_912f);
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
            Coordinates(Vector256.LoadUnsafe(in _magnitudes[start & ~7]), Vector256.Create(inverse)).StoreUnsafe(ref MemoryMarshal.GetReference(coordinates));
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
