using System.CommandLine;
using System.CommandLine.Help;
using Nibble;
using Nibble.Cli;
using Nibble.Cli.Commands;
using Nibble.Cli.Terminal;

Console.SetOut(new ResultWriter(Console.Out));
RootCommand root = new("Nibble makes large language models fit: it quantizes them, measures what that cost, and runs the result.")
{
    CheckCommand.Create(),
    CompareCommand.Create(),
    ConvertCommand.Create(),
    ImatrixCommand.Create(),
    KldCommand.Create(),
    PerplexityCommand.Create(),
    BenchCommand.Create(),
    DiffCommand.Create(),
    EvalCommand.Create(),
    QuantizeCommand.Create(),
    RunCommand.Create(),
    ShowCommand.Create(),
    SystemCommand.Create(),
    TokenizeCommand.Create(),
    TourCommand.Create(),
};
foreach (HelpOption help in root.Options.OfType<HelpOption>()) help.Action = new HelpWithExamples((HelpAction)help.Action!);

ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
if (parsed.CommandResult.Command == root && args is [var first, ..] && !first.StartsWith('-') && parsed.Action is not HelpWithExamples)
    return Failure.Report($"unknown command '{first}'; there are {string.Join(", ", root.Subcommands.Select(c => c.Name))}");
// The parser takes an option that it does not know for an argument, and a misspelt one must not become a prompt.
if (parsed.CommandResult.Tokens.Select(t => t.Value).Concat(parsed.UnmatchedTokens).FirstOrDefault(t => t is ['-', '-' or (>= 'A' and <= 'Z') or (>= 'a' and <= 'z'), ..]) is { } unknown && parsed.Action is not HelpWithExamples && !args.Contains("--"))
    return Failure.Report($"unknown option {unknown} (see nibble {parsed.CommandResult.Command.PathFromRoot()}--help; text that begins with a dash goes after --)");
if (parsed.Errors.Count > 0 && parsed.Action is not HelpWithExamples)
    return Failure.Report($"{ParseErrors.Explain(parsed.Errors[0].Message)} (see nibble {parsed.CommandResult.Command.PathFromRoot()}--help)");
try
{
    _ = InstructionSets.Used; // a wrong choice is refused whatever the command
    int code = await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = Failure.TimeToStop });
    return code == Failure.Interrupted ? Failure.ReportInterrupted(QuantizeCommand.Kept(parsed) ?? ImatrixCommand.Kept(parsed) ?? CompareCommand.Kept(parsed) ?? EvalCommand.Kept(parsed)) : code;
}
catch (OperationCanceledException)
{
    return Failure.ReportInterrupted(QuantizeCommand.Kept(parsed) ?? ImatrixCommand.Kept(parsed) ?? CompareCommand.Kept(parsed) ?? EvalCommand.Kept(parsed)); // the parser's own handling of signals and this exception race
}
catch (Exception e) when (Failure.Explain(e) is { } message)
{
    return Failure.Report(message, Failure.ExitCode(e));
}
