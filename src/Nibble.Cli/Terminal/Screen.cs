using System.Runtime.InteropServices;
using Spectre.Console;

namespace Nibble.Cli.Terminal;

/// <summary>Standard output for results, standard error for progress and errors; colours and live display only where a person looks.</summary>
internal static partial class Screen
{
    /// <summary>Columns of a table that no terminal limits.</summary>
    private const int UnlimitedWidth = 200;

    /// <summary>Whether standard output and standard error both are a terminal.</summary>
    public static bool IsLive { get; } = !Console.IsOutputRedirected && !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>Whether nobody reads standard output any more, as after <c>| head -1</c>: the framework lets writing go on without a word.</summary>
    public static bool IsOutputClosed
    {
        get
        {
            if (!Console.IsOutputRedirected || OperatingSystem.IsWindows()) return false;
            const short Error = 8; // POLLERR: the reading end of the pipe is closed
            PollRequest request = new() { File = 1 };
            return Poll(ref request, 1, 0) > 0 && (request.Found & Error) != 0;
        }
    }

    public static IAnsiConsole Out { get; } = Create(Console.Out, Console.IsOutputRedirected);

    public static IAnsiConsole Error { get; } = Create(Console.Error, Console.IsErrorRedirected || Console.IsOutputRedirected);

    /// <summary>Prints a line of a result. Unlike a table it is never broken to the width of a terminal.</summary>
    public static void Print(string line) => Console.Out.WriteLine(line);

    /// <summary>Tells the person at the terminal something that is no result.</summary>
    public static void Tell(string line) => Console.Error.WriteLine(line);

    private struct PollRequest
    {
        public int File;
        public short Wanted, Found;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollRequest requests, nuint count, int milliseconds);

    private static IAnsiConsole Create(TextWriter writer, bool isRedirected)
    {
        bool plain = isRedirected || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = isRedirected ? InteractionSupport.No : InteractionSupport.Detect,
            Out = new AnsiConsoleOutput(writer),
        });
        if (isRedirected)
        {
            console.Profile.Width = UnlimitedWidth;
            console.Profile.Capabilities.Unicode = true;
        }
        return console;
    }
}
