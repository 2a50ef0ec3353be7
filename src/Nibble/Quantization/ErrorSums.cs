using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Nibble.Quantization;

/// <summary>
/// What is needed of a tensor to tell its error, in double precision: sums over parts of it may be added, and always added in the
/// same order they are the same to the last bit.
/// </summary>
/// <param name="Difference">Σ (source - result)².</param>
/// <param name="Source">Σ source².</param>
/// <param name="Product">Σ source · result.</param>
/// <param name="Result">Σ result².</param>
internal readonly record struct ErrorSums(double Difference, double Source, double Product, double Result)
{
    public static ErrorSums operator +(ErrorSums left, ErrorSums right) =>
        new(left.Difference + right.Difference, left.Source + right.Source, left.Product + right.Product, left.Result + right.Result);

    /// <summary>Root of the mean square error, divided by the root of the mean square of the source.</summary>
    public double RelativeError => Difference == 0 ? 0 : Math.Sqrt(Difference / Source);

    /// <summary>Cosine of the angle between source and result; 1 where both are zero.</summary>
    public double Cosine => Source == 0 && Result == 0 ? 1 : Source == 0 || Result == 0 ? 0 : Math.Clamp(Product / Math.Sqrt(Source) / Math.Sqrt(Result), -1, 1);

    /// <summary>Sums over values and what became of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ErrorSums Of(ReadOnlySpan<float> source, ReadOnlySpan<float> result)
    {
        Debug.Assert(source.Length == result.Length, "each value became one");
        // Sixteen sums on every processor, so that the order of additions is the same everywhere.
        ReadOnlySpan<Vector512<float>> sources = MemoryMarshal.Cast<float, Vector512<float>>(source), results = MemoryMarshal.Cast<float, Vector512<float>>(result)[..sources.Length];
        Lanes low = default, high = default;
        for (int i = 0; i < sources.Length; i++)
        {
            Vector512<float> x = sources[i], y = results[i];
            low.Add(Vector512.WidenLower(x), Vector512.WidenLower(y));
            high.Add(Vector512.WidenUpper(x), Vector512.WidenUpper(y));
        }
        ErrorSums sums = low.Sum() + high.Sum();
        for (int i = sources.Length * Vector512<float>.Count; i < source.Length; i++) sums += OfOne(source[i], result[i]);
        return sums;
    }

    /// <summary>As <see cref="Of"/>, but of the values that are finite numbers in the source.</summary>
    public static ErrorSums OfFinite(ReadOnlySpan<float> source, ReadOnlySpan<float> result)
    {
        ErrorSums sums = default;
        for (int i = 0; i < source.Length; i++)
            if (float.IsFinite(source[i])) sums += OfOne(source[i], result[i]);
        return sums;
    }

    private static ErrorSums OfOne(double x, double y) => new((x - y) * (x - y), x * x, x * y, y * y);

    /// <summary>Eight of each sum.</summary>
    private struct Lanes
    {
        private Vector512<double> _difference, _source, _product, _result;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(Vector512<double> x, Vector512<double> y)
        {
            Vector512<double> difference = x - y;
            _difference += difference * difference;
            // The product of two single-precision numbers has no more than 48 bits: fused with the addition or not, the sum is the same.
            _source = Vector512.MultiplyAddEstimate(x, x, _source);
            _product = Vector512.MultiplyAddEstimate(x, y, _product);
            _result = Vector512.MultiplyAddEstimate(y, y, _result);
        }

        public readonly ErrorSums Sum()
        {
            ErrorSums sums = default;
            for (int i = 0; i < Vector512<double>.Count; i++) sums += new ErrorSums(_difference[i], _source[i], _product[i], _result[i]);
            return sums;
        }
    }
}
