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
        "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>",
    ];

    // The parts of code to fill in. They end nothing, but steer the model, also where files mark them as plain additions.
    private static readonly string[] s_infilling =
    [
        "<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>", "<|prefix|>",
        "<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>", "<|suffix|>",
        "<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>", "<|middle|>",
    ];

    /// <summary>The tokens at which generation ends. Those known by their text, and those for infilling, become control tokens where their file does not say so.</summary>
    public static HashSet<int> Find(Vocabulary vocabulary, int? endOfMessage)
    {
        Dictionary<string, int> found = [];
        HashSet<string> wanted = [.. s_turnEnds, .. s_others, .. s_infilling];
        int longest = wanted.Max(Encoding.UTF8.GetByteCount);
        for (int id = 0; id < vocabulary.Count; id++)
        {
            ReadOnlySpan<byte> text = vocabulary.Text(id);
            if (text.IsEmpty || text.Length > longest || text[0] is not ((byte)'<' or (byte)'[' or (byte)'_' or 0xE2)) continue;
            string name = vocabulary.TextString(id);
            if (wanted.Contains(name)) found.TryAdd(name, id);
        }

        vocabulary.Eot ??= s_turnEnds.Where(found.ContainsKey).Select(name => (int?)found[name]).FirstOrDefault();

        foreach (int id in found.Values) vocabulary.MarkAsControl(id);
        HashSet<int> ids = [.. found.Where(token => !s_infilling.Contains(token.Key)).Select(token => token.Value)];
        if (vocabulary.Eos is int eos) ids.Add(eos);
        if (vocabulary.Eot is int eot) ids.Add(eot);
        if (endOfMessage is int eom) ids.Add(eom);

        // With tokens for the end of an answer and for a call of a tool, <|end|> only ends a message on the way there.
        bool calls = Has("<|call|>") || Has("<|calls|>");
        if (calls && (Has("<|return|>") || Has("<|flush|>")) && Has("<|end|>")) ids.Remove(found["<|end|>"]);
        if (Has("<|tool_response>") && Has("</s>")) ids.Remove(found["</s>"]);
        return ids;

        bool Has(string name) => found.ContainsKey(name);
    }
}
