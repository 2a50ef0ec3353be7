using System.CommandLine;
using System.CommandLine.Parsing;
using Nibble.Formats;
using Nibble.Models;

namespace Nibble.Cli.Commands;

/// <summary>The options of a command that say how keys and values are stored.</summary>
internal sealed class CacheSettings
{
    private const string On = "on", Off = "off", Auto = "auto";

    private readonly Option<WeightFormat?> _keys = Type("--cache-type-k", "-ctk", "Store keys so, whatever --cache-type says.");
    private readonly Option<WeightFormat?> _values = Type("--cache-type-v", "-ctv", "Store values so, whatever --cache-type says.");
    private readonly Option<WeightFormat?> _both = Type("--cache-type", null, "Store keys and values as f32, f16, bf16, q8_0, q5_0 or q4_0. Default: f16.");
    private readonly Option<string> _rotate = new("--cache-rotate")
    {
        Description = $"Turn keys and values before they are stored, so that few bits hold them better: {On}, {Off}, or {Auto} for types below 8 bits.",
        DefaultValueFactory = _ => Auto,
        HelpName = "WHEN",
    };

    public CacheSettings(Command command)
    {
        _rotate.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && value.ToLowerInvariant() is not (On or Off or Auto)) result.AddError($"--cache-rotate is '{value}'; take {On}, {Off} or {Auto}");
        });
        command.Add(_both);
        command.Add(_keys);
        command.Add(_values);
        command.Add(_rotate);
    }

    public CacheOptions Read(ParseResult parsed) => new()
    {
        KeyFormat = parsed.GetValue(_keys) ?? parsed.GetValue(_both) ?? CacheOptions.Default.KeyFormat,
        ValueFormat = parsed.GetValue(_values) ?? parsed.GetValue(_both) ?? CacheOptions.Default.ValueFormat,
        Rotate = parsed.GetRequiredValue(_rotate).ToLowerInvariant() switch { On => true, Off => false, _ => null },
    };

    private static Option<WeightFormat?> Type(string name, string? alias, string description) => new(name, alias is null ? [] : [alias])
    {
        Description = description,
        HelpName = "TYPE",
        CustomParser = result => Parse(name, result),
    };

    private static WeightFormat? Parse(string name, ArgumentResult result)
    {
        try
        {
            return CacheOptions.ParseFormat(result.Tokens[0].Value);
        }
        catch (NibbleException e)
        {
            result.AddError($"{name}: {e.Message}");
            return null;
        }
    }
}
