using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Nibble.Quantization.Resuming;

/// <summary>A tensor that is completely written, as one line of a <see cref="Journal"/>.</summary>
/// <param name="Tensor">Its place in the plan.</param>
/// <param name="Hash">SHA-256 of its bytes, as hexadecimal digits.</param>
/// <param name="HadLostValues">Whether values were no finite numbers, or became none.</param>
/// <param name="Error">Its error, where it is measured.</param>
internal sealed record FinishedTensor(int Tensor, string Hash, bool HadLostValues, ErrorSums Error)
{
    private const string Start = "tensor";
    private const int Words = 9, CheckDigits = 16;

    /// <summary>Reads a line, or returns <see langword="null"/> where it is none of a tensor, whole and undamaged.</summary>
    public static FinishedTensor? Parse(string line)
    {
        string[] words = line.Split(' ');
        if (words.Length != Words || words[0] != Start || words[^1] != Check(line[..line.LastIndexOf(' ')])) return null;
        if (!int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int tensor)) return null;
        Span<double> sums = stackalloc double[4];
        for (int i = 0; i < sums.Length; i++)
        {
            if (!long.TryParse(words[4 + i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long bits)) return null;
            sums[i] = BitConverter.Int64BitsToDouble(bits);
        }
        return new(tensor, words[2], words[3] == "lost", new(sums[0], sums[1], sums[2], sums[3]));
    }

    /// <summary>The line, without its end. Sums are the bits of doubles, so that they come back as they were.</summary>
    public string ToLine()
    {
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{Start} {Tensor} {Hash} {(HadLostValues ? "lost" : "sound")} {Bits(Error.Difference)} {Bits(Error.Source)} {Bits(Error.Product)} {Bits(Error.Result)}");
        return $"{text} {Check(text)}";
    }

    private static string Bits(double value) => BitConverter.DoubleToInt64Bits(value).ToString("x16", CultureInfo.InvariantCulture);

    private static string Check(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..CheckDigits];
}
