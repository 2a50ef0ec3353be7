using System.Diagnostics;
using Nibble.Tokenizers;

namespace Nibble.Benchmarks;

/// <summary>
/// How fast text becomes tokens on one thread. A tokenizer remembers words it has seen, so the first reading of a text by a new tokenizer
/// and the readings after it are told apart. The code itself is compiled in both.
/// </summary>
internal static class TokenizeSuite
{
    private const int Rounds = 5;

    public static void Run(string textPath, string[] vocabularies)
    {
        byte[] text = File.ReadAllBytes(textPath);
        Report.Start($"tokenize {Name(textPath)} {string.Join(' ', vocabularies.Select(Name))}", "vocabulary", "tokens", "first reading, MB/s", "later, MB/s");
        foreach (string path in vocabularies)
        {
            Warm(path, text);
            double first = double.MaxValue, later = double.MaxValue;
            int tokens = 0;
            for (int round = 0; round < Rounds; round++)
            {
                Tokenizer tokenizer = Tokenizer.Open(path);
                first = Math.Min(first, Seconds(() => tokens = tokenizer.Encode(text).Length));
                later = Math.Min(later, Seconds(() => tokenizer.Encode(text)));
            }
            Report.Row(Name(path), $"{tokens}", Report.Number(text.Length / 1e6 / first, 1), Report.Number(text.Length / 1e6 / later, 1));
        }
    }

    /// <summary>The last two parts of a path: many vocabularies are called tokenizer.model.</summary>
    private static string Name(string path) => string.Join('/', Path.GetFullPath(path).Split(['/', '\\'], StringSplitOptions.RemoveEmptyEntries).TakeLast(2));

    /// <summary>Lets the JIT finish with a tokenizer that is thrown away.</summary>
    private static void Warm(string path, byte[] text)
    {
        Stopwatch clock = Stopwatch.StartNew();
        while (clock.Elapsed < TimeSpan.FromSeconds(1.5)) Tokenizer.Open(path).Encode(text);
    }

    private static double Seconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
