using System.Collections.Concurrent;
using Nibble.Tokenizers;

namespace Nibble.Tests.Tokenizers;

/// <summary>Shared vocabularies, each opened once.</summary>
internal static class Vocabularies
{
    private static readonly ConcurrentDictionary<string, Lazy<Tokenizer>> s_opened = new();

    public static Tokenizer Open(string relativePath)
    {
        string path = Shared.Find(relativePath);
        return s_opened.GetOrAdd(path, _ => new(() => Tokenizer.Open(path))).Value;
    }
}
