using System.CommandLine;
using System.Globalization;
using Nibble.Files.Gguf;

namespace Nibble.Cli.Commands;

/// <summary>The options that spread a model over several files.</summary>
internal static class SplitArguments
{
    public static Option<bool> Keep() => new("--keep-split") { Description = "Write as many parts as the input has, and leave every tensor in the part that it was in." };

    public static Option<long?> MaxSize()
    {
        Option<long?> option = new("--split-max-size")
        {
            Description = "Write parts, NAME-00001-of-0000N.gguf, none larger than N megabytes or gigabytes (of 1000), as in 500M or 45G.",
            HelpName = "N(M|G)",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                long unit = text.Length == 0 ? 0 : text[^1] switch { 'M' or 'm' => 1_000_000, 'G' or 'g' => 1_000_000_000, _ => 0 };
                if (unit > 0 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0) return count * unit;
                result.AddError($"--split-max-size is '{text}'; take a whole number of megabytes or gigabytes, as in 500M or 45G");
                return null;
            },
        };
        return option;
    }

    public static Option<int?> MaxTensors()
    {
        Option<int?> option = new("--split-max-tensors")
        {
            Description = "Write parts of at most N tensors.",
            HelpName = "N",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0) return count;
                result.AddError($"--split-max-tensors is '{text}'; take a whole number from 1");
                return null;
            },
        };
        return option;
    }

    /// <summary>What these ask for together; <see langword="null"/> for one file.</summary>
    public static SplitOptions? Read(bool keep, long? maxBytes, int? maxTensors) =>
        keep || maxBytes is not null || maxTensors is not null ? new SplitOptions { Keep = keep, MaxBytes = maxBytes, MaxTensors = maxTensors } : null;
}
