using System.Text;

namespace Nibble.Tokenizers;

/// <summary>
/// Which tokens end an answer. Files name one or two of them; models end their turns with others too, which are known by
/// their text.
/// </summary>
internal static class EndOfGenerationTokens
{
    // A turn ends with the first of these that the vocabulary has, where the file names none.
    private static readonly string[] s_turnEnds =
    [
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>", "<EOT>", "_<EOT>", "[EOT]",
        "<｜end▁of▁sentence｜>", "<end_of_utterance>",
    ];

    private static readonly string[] s_others =
    [
        "</s>", "<eos>", "<turn|>", "<|call|>", "<|calls|>", "<|eom_id|>", "<|flush|>", "<|return|>", "<|tool_response>", "[EOS]", "[e~[",
        // Code models: the padding, the repository and the file after a completed middle.
        "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>",
    ];

    /// <summary>The tokens at which generation ends. Those known by their text become control tokens where their file does not say so.</summary>
    public static HashSet<int> Find(Vocabulary vocabulary, int? endOfMessage)
    {
        Dictionary<string, int> found = [];
        HashSet<string> wanted = [.. s_turnEnds, .. s_others];
        int longest = wanted.Max(Encoding.UTF8.GetByteCount);
        for (int id = 0; id < vocabulary.Count; id++)
        {
            ReadOnlySpan<byte> text = vocabulary.Text(id);
            if (text.IsEmpty || text.Length > longest || text[0] is not ((byte)'<' or (byte)'[' or (byte)'_')) continue;
            string name = vocabulary.TextString(id);
            if (wanted.Contains(name)) found.TryAdd(name, id);
        }

        vocabulary.Eot ??= s_turnEnds.Where(found.ContainsKey).Select(name => (int?)found[name]).FirstOrDefault();

        // With tokens for the end of an answer and for a call of a tool, <|end|> only ends a message on the way there.
        if ((Has("<|return|>") && Has("<|call|>")) || ((Has("<|call|>") || Has("<|calls|>")) && Has("<|flush|>"))) found.Remove("<|end|>");
        if (Has("<|tool_response>")) found.Remove("</s>");

        HashSet<int> ids = [.. found.Values];
        foreach (int id in ids) vocabulary.MarkAsControl(id);
        if (vocabulary.Eos is int eos) ids.Add(eos);
        if (vocabulary.Eot is int eot) ids.Add(eot);
        if (endOfMessage is int eom) ids.Add(eom);
        return ids;

        bool Has(string name) => found.ContainsKey(name);
    }
}
