using System.Text;

namespace Nibble.Cli.Terminal;

/// <summary>Standard output, of which an error is told with its name: a full disk that a result is redirected to is not that of another file.</summary>
internal sealed class ResultWriter(TextWriter output) : TextWriter
{
    public override Encoding Encoding => output.Encoding;

    public override void Write(char value) => Try(() => output.Write(value));

    public override void Write(string? value) => Try(() => output.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => output.Write(buffer, index, count));

    public override void WriteLine(string? value) => Try(() => output.WriteLine(value));

    public override void Flush() => Try(output.Flush);

    /// <summary>Writes to standard output.</summary>
    /// <exception cref="NibbleException">It cannot be written.</exception>
    public static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (IOException e)
        {
            throw new NibbleException($"standard output cannot be written: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
