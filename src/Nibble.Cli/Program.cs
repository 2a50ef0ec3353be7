using System.CommandLine;
using System.CommandLine.Help;
using Nibble.Cli;
using Nibble.Cli.Commands;
using Nibble.Cli.Terminal;

RootCommand root = new("Nibble makes large language models fit: it quantizes them, measures what that cost, and runs the result.")
{
    ConvertCommand.Create(),
    ImatrixCommand.Create(),
    PerplexityCommand.Create(),
    QuantizeCommand.Create(),
    RunCommand.Create(),
    ShowCommand.Create(),
    TokenizeCommand.Create(),
    TourCommand.Create(),
};
foreach (HelpOption help in root.Options.OfType<HelpOption>()) help.Action = new HelpWithExamples((HelpAction)help.Action!);

ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0 && parsed.Action is not HelpWithExamples)
    return Failure.Report($"{parsed.Errors[0].Message} (see nibble {parsed.CommandResult.Command.PathFromRoot()}--help)");
if (parsed.CommandResult.Tokens.FirstOrDefault(t => t.Value.StartsWith("--", StringComparison.Ordinal)) is { } unknown && !args.Contains("--"))
    return Failure.Report($"unknown option {unknown.Value} (see nibble {parsed.CommandResult.Command.PathFromRoot()}--help; text that begins with dashes goes after --)");
try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (OperationCanceledException)
{
    Failure.Report("stopped; nothing was left half-written");
    return Failure.Interrupted;
}
catch (Exception e) when (Failure.Explain(e) is { } message)
{
    return Failure.Report(message);
}
