using Nibble.Evaluation;
using Nibble.Quantization;
using Nibble.Quantization.Recipes;
using Spectre.Console;

namespace Nibble.Cli.Terminal;

/// <summary>How the program says that something went wrong: one line on standard error.</summary>
internal static class Failure
{
    /// <summary>The exit code of a program stopped from the keyboard (128 + SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>The exit code where the result is not as good as was asked for.</summary>
    public const int NotGoodEnough = 3;

    /// <summary>How long work may take to stop after Ctrl-C; all of it stops after the chunk, token or window at hand.</summary>
    public static TimeSpan TimeToStop { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Says that the program was stopped from the keyboard and returns the exit code for it.</summary>
    /// <param name="kept">What stays for a later run, and how that goes on; <see langword="null"/> for nothing.</param>
    public static int ReportInterrupted(string? kept)
    {
        Report($"stopped; {kept ?? "nothing was left half-written"}");
        return Interrupted;
    }

    /// <summary>The exit code for an exception.</summary>
    public static int ExitCode(Exception exception) => exception is ExcessiveErrorException or RecipeMismatchException or BrokenBoundsException ? NotGoodEnough : 1;

    /// <summary>Prints the message and returns the exit code.</summary>
    public static int Report(string message, int exitCode = 1)
    {
        Screen.Error.Markup("[red]nibble:[/] ");
        Screen.Tell(Format.Printable(message));
        return exitCode;
    }

    /// <summary>What to tell the user of an exception; <see langword="null"/> to let it through, which <c>NIBBLE_DEBUG=1</c> asks for.</summary>
    public static string? Explain(Exception exception)
    {
        if (Environment.GetEnvironmentVariable("NIBBLE_DEBUG") == "1") return null;
        return exception switch
        {
            NibbleException e => e.Message,
            AggregateException { InnerException: { } inner } => Explain(inner),
            TypeInitializationException { InnerException: { } inner } => Explain(inner),
            OutOfMemoryException => "not enough memory for this model",
            UnauthorizedAccessException e => e.Message,
            IOException e => e.Message,
            _ => $"internal error ({exception.GetType().Name}: {exception.Message}); NIBBLE_DEBUG=1 shows where, please report it",
        };
    }
}
