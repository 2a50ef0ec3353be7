using System.Globalization;
using Nibble.Formats;
using Nibble.Memory;

namespace Nibble.Files.Gguf;

/// <summary>
/// Finds out in which layout a file's ternary weights are packed. A wrong layout gives ternary weights too, but in the wrong columns.
/// Which column is which is known from the norm in front of a matrix: its weights lie in plain order in the file, and where training
/// made a column's input small or large, it made more or fewer of the column's weights zero. So in the right layout the share of zeros
/// in a column goes with the norm's weight of that column, and in the wrong ones it does not.
/// </summary>
internal sealed class I2_SEvidence(IReadOnlyList<TensorInfo> tensors, Func<TensorInfo, MemoryRegion> data)
{
    /// <summary>Enough matrices and rows to see what there is to see, few enough to take no time.</summary>
    private const int MostTensors = 48, MostRows = 512;

    /// <summary>How far, in standard deviations of chance, the evidence for a layout must go, and how many times further than for any other.</summary>
    private const double Decisive = 10, TimesOthers = 3;

    /// <summary>How much more evidence for another layout makes the expected one doubtful: chance gives as much once in a few thousand files.</summary>
    private const double Doubtful = 4;

    private static readonly (string Matrix, string Norm)[] s_inputs =
    [
        ("attn_q", "attn_norm"), ("attn_k", "attn_norm"), ("attn_v", "attn_norm"), ("attn_output", "attn_sub_norm"),
        ("ffn_gate", "ffn_norm"), ("ffn_up", "ffn_norm"), ("ffn_down", "ffn_sub_norm"),
    ];

    /// <summary>The layout and how sure it is; no layout where the evidence does not tell.</summary>
    /// <param name="architecture">What the file calls its architecture: files of some come from one program only.</param>
    public (I2_SLayout? Layout, string Reason) Conclude(string? architecture)
    {
        I2_SLayout? expected = architecture is null ? null : I2_SLayout.OfArchitecture(architecture);
        Dictionary<string, TensorInfo> byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        List<(TensorInfo Matrix, double[] Norm)> pairs = [];
        foreach (TensorInfo matrix in tensors.Where(I2_STensors.Is))
            if (pairs.Count < MostTensors && NormOf(matrix, byName) is { } norm) pairs.Add((matrix, norm));
        if (pairs.Count == 0) return expected is null ? (null, "not to be told from its tensors") : (expected, $"as files of the architecture {architecture} have it");

        (I2_SLayout Layout, double Score)[] scores = [.. I2_SLayout.All.Select(layout => (layout, Score(pairs, layout))).OrderByDescending(s => s.Item2)];
        string numbers = string.Join(", ", scores.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Layout} {s.Score:F0}")));
        if (scores[0].Score >= Decisive && scores[0].Score >= TimesOthers * scores[1].Score) return (scores[0].Layout, $"concluded from where its zeros lie; evidence {numbers}");
        if (expected is null) return (null, $"not clear from where its zeros lie (evidence {numbers})");
        return scores[0].Score - scores.First(s => s.Layout == expected).Score < Doubtful
            ? (expected, $"as files of the architecture {architecture} have it, and its zeros do not speak against it; evidence {numbers}")
            : (null, $"not clear: files of the architecture {architecture} have {expected}, but its zeros lie otherwise (evidence {numbers})");
    }

    /// <summary>
    /// How far the correlations go beyond chance. The square of a correlation times the number of columns is 1 on average where there
    /// is none, with a variance of 2.
    /// </summary>
    private double Score(List<(TensorInfo Matrix, double[] Norm)> pairs, I2_SLayout layout)
    {
        double sum = 0;
        foreach ((TensorInfo matrix, double[] norm) in pairs)
        {
            if (matrix.Rows % layout.RowsTogether != 0) return 0;
            double correlation = Correlation(Zeros(matrix, layout), norm);
            sum += correlation * correlation * (norm.Length - norm.Length / I2_S.BlockSize);
        }
        return Math.Max(0, (sum - pairs.Count) / Math.Sqrt(2 * pairs.Count));
    }

    /// <summary>How many weights of each column are zero, in rows spread over the matrix.</summary>
    private double[] Zeros(TensorInfo matrix, I2_SLayout layout)
    {
        double[] zeros = new double[matrix.Columns];
        byte[] numbers = new byte[matrix.Columns];
        MemoryRegion all = data(matrix);
        long rows = Math.Min(matrix.Rows, MostRows);
        for (long i = 0; i < rows; i++)
        {
            long row = i * matrix.Rows / rows;
            layout.Unpack(I2_STensors.Together(matrix, all, layout, row), (int)(row % layout.RowsTogether), numbers);
            for (int column = 0; column < numbers.Length; column++) zeros[column] += numbers[column] == 1 ? 1 : 0;
        }
        return Centered(zeros);
    }

    /// <summary>The logarithms of the norm's weights; <see langword="null"/> where there is none of that length.</summary>
    private double[]? NormOf(TensorInfo matrix, Dictionary<string, TensorInfo> byName)
    {
        string[] parts = matrix.Name.Split('.');
        if (parts is not ["blk", var layer, var name, "weight"]) return null;
        if (s_inputs.FirstOrDefault(i => i.Matrix == name).Norm is not { } norm || !byName.TryGetValue($"blk.{layer}.{norm}.weight", out TensorInfo? tensor)) return null;
        if (tensor.Count != matrix.Columns || tensor.Format is not { BlockSize: 1 }) return null;
        float[] values = new float[tensor.Count];
        tensor.Format.Dequantize(data(tensor).AsSpan<byte>(), values);
        return values.All(float.IsFinite) ? Centered(Array.ConvertAll(values, v => Math.Log(Math.Abs(v) + 1e-9))) : null;
    }

    /// <summary>Less the mean of each 128, which layouts that move weights within a block of that size leave as it is.</summary>
    private static double[] Centered(double[] values)
    {
        for (int start = 0; start < values.Length; start += I2_S.BlockSize)
        {
            Span<double> block = values.AsSpan(start, I2_S.BlockSize);
            double mean = 0;
            foreach (double value in block) mean += value / block.Length;
            foreach (ref double value in block) value -= mean;
        }
        return values;
    }

    private static double Correlation(double[] x, double[] y)
    {
        double xx = 0, yy = 0, xy = 0;
        for (int i = 0; i < x.Length; i++)
        {
            xx += x[i] * x[i];
            yy += y[i] * y[i];
            xy += x[i] * y[i];
        }
        return xx > 0 && yy > 0 ? xy / Math.Sqrt(xx * yy) : 0;
    }
}
