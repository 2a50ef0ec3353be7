using System.Text.RegularExpressions;

namespace Nibble.Quantization;

/// <summary>The level that a file's name promises, as in <c>llama3.1-70b-instruct-q4_k_m.gguf</c>.</summary>
/// <param name="Name">The level in upper case, such as <c>Q4_K_M</c>.</param>
/// <param name="Start">Where it begins in the name.</param>
public readonly partial record struct FileNameLevel(string Name, int Start)
{
    /// <summary>The last level in <paramref name="fileName"/>, or <see langword="null"/>.</summary>
    public static FileNameLevel? Find(string fileName)
    {
        Match? match = Pattern().Matches(fileName).LastOrDefault();
        return match is null ? null : new FileNameLevel(match.Value.ToUpperInvariant() switch { "FP16" => "F16", "FP32" => "F32", var name => name }, match.Index);
    }

    // Levels of llama.cpp and its kin, not within a longer word; fp16 is how some write F16.
    [GeneratedRegex(@"(?<![a-z0-9])(q\d_k(_(xs|s|m|l|xl))?|q\d_\d|iq\d_(xxs|xs|s|m|nl)|tq\d_0|bf16|fp?16|fp?32|mxfp4(_moe)?|nvfp4|i2_s|k4_cb)(?![a-z0-9])",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
