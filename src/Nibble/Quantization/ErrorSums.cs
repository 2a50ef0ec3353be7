using System.Diagnostics;
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
    public static ErrorSums Of(ReadOnlySpan<float> source, ReadOnlySpan<float> result)
    {
        Debug.Assert(source.Length == result.Length, "each value became one");
        // Four sums at a time on every processor, so that the order of additions is the same everywhere.
        ReadOnlySpan<Vector128<float>> sources = MemoryMarshal.Cast<float, Vector128<float>>(source), results = MemoryMarshal.Cast<float, Vector128<float>>(result)[..sources.Length];
        Vector256<double> difference = default, sourceSquares = default, product = default, resultSquares = default;
        for (int i = 0; i < sources.Length; i++)
        {
            Vector256<double> x = Widen(sources[i]), y = Widen(results[i]), error = x - y;
            difference += error * error;
            sourceSquares += x * x;
            product += x * y;
            resultSquares += y * y;
        }
        ErrorSums sums = new(Sum(difference), Sum(sourceSquares), Sum(product), Sum(resultSquares));
        for (int i = sources.Length * Vector128<float>.Count; i < source.Length; i++) sums += OfOne(source[i], result[i]);
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

    private static Vector256<double> Widen(Vector128<float> values) =>
        Vector256.Create(Vector128.WidenLower(values), Vector128.WidenUpper(values));

    private static double Sum(Vector256<double> lanes) => lanes[0] + lanes[1] + (lanes[2] + lanes[3]);
}
