using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Nibble.Cli;

/// <summary>A command whose help ends with examples.</summary>
internal sealed class CommandWithExamples(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}

/// <summary>The usual help, then the examples of the command.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        // The library names the program after its assembly, which cannot be called nibble: Nibble.dll is the library beside it.
        TextWriter output = parseResult.InvocationConfiguration.Output;
        using StringWriter text = new();
        parseResult.InvocationConfiguration.Output = text;
        int code = usual.Invoke(parseResult);
        output.Write(text.ToString().Replace("  Nibble.Cli ", "  nibble ", StringComparison.Ordinal));
        if (parseResult.CommandResult.Command is CommandWithExamples { Examples.Count: > 0 } command)
        {
            output.WriteLine("Examples:");
            foreach (string example in command.Examples) output.WriteLine($"  {example}");
            output.WriteLine();
        }
        return code;
    }
}

internal static class CommandExtensions
{
    /// <summary><c>quantize </c> of the command quantize, and nothing of the root.</summary>
    public static string PathFromRoot(this Command command) => command is RootCommand ? "" : command.Name + " ";
}
