using System.Text;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Quantization;

namespace Nibble.Tests;

/// <summary>The C# that the README shows compiles, does what the README says, and is the code that runs here.</summary>
public sealed class ReadmeExampleTests
{
    /// <summary>Spaces before each line of the example here, which the README does not have.</summary>
    private const int Indent = 8;

    /// <summary>Stands in for the real one in the example, so that what it prints can be looked at.</summary>
    private sealed class Capture
    {
        private Capture? _error;

        public StringBuilder Text { get; } = new();

        public Capture Error => _error ??= new Capture();

        public void Write(string text)
        {
            lock (Text) Text.Append(text);
        }
    }

    [Fact]
    public async Task It_quantizes_and_streams_text()
    {
        using TemporaryFolder temporary = new();
        string file = temporary.At("tiny-Q4_K_M.gguf");
        Capture console = new();
        await RunExample(console, Shared.TinyModel, file);

        using ModelFile model = ModelFile.Open(file);
        Assert.Equal(15, model.Metadata.Integer("general.file_type")); // Q4_K_M
        Assert.True(console.Text.ToString().Split(' ').Length > 10, $"too little text: {console.Text}");
    }

    [Fact]
    public async Task Quantizing_stops_when_asked_and_leaves_nothing()
    {
        using TemporaryFolder temporary = new();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Quantizer.QuantizeAsync(Shared.TinyModel, "Q4_K_M", temporary.At("tiny.gguf"), cancellationToken: stop.Token));
        Assert.Empty(temporary.Names);
    }

    [Fact]
    public void The_README_shows_this_code()
    {
        string readme = File.ReadAllText(Path.Combine(Shared.Repository, "README.md"));
        string source = File.ReadAllText(Path.Combine(Shared.Repository, "tests", "Nibble.Tests", "ReadmeExampleTests.cs"));
        string shown = Between(readme, "```csharp\n", "```");
        string run = Between(source, "// The example begins.\n", "        // The example ends.");

        string[] lines = shown.Split('\n');
        string[] usings = [.. lines.TakeWhile(line => line.Length > 0)];
        Assert.NotEmpty(usings);
        Assert.All(usings, line => Assert.Contains($"\n{line}\n", $"\n{source.ReplaceLineEndings("\n")}", StringComparison.Ordinal));
        IEnumerable<string> body = run.Split('\n').Select(line => line.Length > Indent ? line[Indent..] : "");
        Assert.Equal(string.Join('\n', body).TrimEnd(), string.Join('\n', lines[(usings.Length + 1)..]).TrimEnd());
    }

    private static string Between(string text, string begin, string end)
    {
        text = text.ReplaceLineEndings("\n");
        int start = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        Assert.True(start >= begin.Length, $"no {begin.Trim()}");
        return text[start..text.IndexOf(end, start, StringComparison.Ordinal)];
    }

    private static async Task RunExample(Capture Console, string folder, string file)
    {
        // The example begins.
        // Quantize, with progress and a way to stop; the file appears only when it is complete.
        using CancellationTokenSource stop = new(TimeSpan.FromHours(1));
        Progress<QuantizationProgress> progress = new(p => Console.Error.Write($"\r{100 * p.ValuesDone / p.ValuesTotal} %"));
        await Quantizer.QuantizeAsync(folder, "Q4_K_M", file, progress, stop.Token);

        // Open the result and print its text as it comes.
        using LanguageModel model = LanguageModel.Open(file);
        GenerationOptions options = new() { MaxTokens = 40, Temperature = 0.7f, Seed = 1 };
        await foreach (string text in model.GenerateAsync("The old man opened the door and", options, stop.Token))
            Console.Write(text);
        // The example ends.
    }
}
