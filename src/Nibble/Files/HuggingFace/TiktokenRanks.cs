using System.Buffers.Text;
using System.Globalization;

namespace Nibble.Files.HuggingFace;

/// <summary>
/// <c>tokenizer.model</c> as Llama 3 has it: tiktoken's ranks, one line for each token with its bytes in base64 and its number.
/// Merges are not listed; two tokens merge where their bytes together are a token, those of the lowest number first.
/// </summary>
internal static class TiktokenRanks
{
    private const int Llama3Tokens = 128_000;
    private const int LongestToken = 512;

    /// <summary>Whether a file looks so: its first line is base64, a space and 0.</summary>
    public static bool Is(ReadOnlySpan<byte> file)
    {
        int end = file.IndexOf((byte)'\n');
        if (end < 0) return false;
        ReadOnlySpan<byte> line = file[..end].TrimEnd((byte)'\r');
        int space = line.IndexOf((byte)' ');
        return space > 0 && line[(space + 1)..].SequenceEqual("0"u8) && Base64.IsValid(line[..space]);
    }

    public static (TokenList Tokens, SpecialIds Ids, List<string> Merges) Read(string path, byte[] bytes)
    {
        TokenList tokens = new(path);
        List<byte[]> ranks = [];
        foreach (Range range in SplitLines(bytes))
        {
            ReadOnlySpan<byte> line = bytes.AsSpan(range).TrimEnd((byte)'\r');
            if (line.IsEmpty) continue;
            byte[] token = Token(path, line, ranks.Count);
            tokens.Set(ranks.Count, ByteAlphabet.ToText(token), TokenType.Normal);
            ranks.Add(token);
        }
        if (ranks.Count != Llama3Tokens)
            Throw.BadFile(path, $"holds {ranks.Count:N0} ranks of an unknown model (Llama 3 has {Llama3Tokens:N0}); put the model's tokenizer.json beside it");

        SpecialIds ids = new();
        foreach (string special in Llama3Special()) tokens.Set(tokens.Count, special, TokenType.Control);
        ids.Set("bos", tokens.Find("<|begin_of_text|>"));
        ids.Set("eos", tokens.Find("<|end_of_text|>"));
        ids.SetAdds("bos", true);
        return (tokens, ids, Merges(ranks));
    }

    private static byte[] Token(string path, ReadOnlySpan<byte> line, int expected)
    {
        int space = line.IndexOf((byte)' ');
        byte[] token = new byte[LongestToken];
        bool valid = space > 0
            && Base64.DecodeFromUtf8(line[..space], token, out int consumed, out int length) == System.Buffers.OperationStatus.Done && consumed == space && length > 0
            && int.TryParse(line[(space + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int rank) && rank == expected;
        if (!valid) Throw.BadFile(path, $"line {expected + 1} is not a token in base64 and the number {expected}; download the file again");
        Base64.DecodeFromUtf8(line[..space], token, out _, out length);
        return token[..length];
    }

    /// <summary>Every way in which two tokens make a third, in the order of the third.</summary>
    private static List<string> Merges(List<byte[]> ranks)
    {
        Dictionary<byte[], int> numbers = new(ranks.Count, BytesComparer.Instance);
        for (int id = 0; id < ranks.Count; id++) numbers.TryAdd(ranks[id], id);
        Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> find = numbers.GetAlternateLookup<ReadOnlySpan<byte>>();
        List<string> merges = [];
        List<(int Left, int Right)> splits = [];
        foreach (byte[] token in ranks)
        {
            splits.Clear();
            for (int at = 1; at < token.Length; at++)
            {
                if (find.TryGetValue(token.AsSpan(0, at), out int left) && find.TryGetValue(token.AsSpan(at), out int right)) splits.Add((left, right));
            }
            splits.Sort();
            foreach ((int left, int right) in splits) merges.Add($"{ByteAlphabet.ToText(ranks[left])} {ByteAlphabet.ToText(ranks[right])}");
        }
        return merges;
    }

    private static IEnumerable<string> Llama3Special()
    {
        const int All = 256;
        string[] named = ["<|begin_of_text|>", "<|end_of_text|>", Reserved(0), Reserved(1), Reserved(2), Reserved(3), "<|start_header_id|>", "<|end_header_id|>", Reserved(4), "<|eot_id|>"];
        return named.Concat(Enumerable.Range(5, All - named.Length).Select(Reserved));

        static string Reserved(int number) => string.Create(CultureInfo.InvariantCulture, $"<|reserved_special_token_{number}|>");
    }

    private static List<Range> SplitLines(ReadOnlySpan<byte> bytes)
    {
        List<Range> lines = [];
        foreach (Range line in bytes.Split((byte)'\n')) lines.Add(line);
        return lines;
    }
}
