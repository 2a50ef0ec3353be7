namespace Nibble.Cli.Commands;
internal static class ShowCommand { public static System.CommandLine.Command Create() => new("show"); }
