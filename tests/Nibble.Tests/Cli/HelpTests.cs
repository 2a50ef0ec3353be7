namespace Nibble.Tests.Cli;

public class HelpTests
{
    public static TheoryData<string> Commands => ["bench", "check", "compare", "convert", "diff", "eval", "imatrix", "kld", "perplexity", "quantize", "run", "show", "system", "tokenize", "tour"];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_explains_itself_with_examples(string command)
    {
        string help = NibbleProcess.Run(command, "--help").Success().Output;
        Assert.Contains($"nibble {command}", help, StringComparison.Ordinal);
        string examples = help[help.IndexOf("Examples:", StringComparison.Ordinal)..];
        Assert.Contains($"  nibble {command}", examples, StringComparison.Ordinal);
        Assert.DoesNotContain("Nibble.Cli", help, StringComparison.Ordinal);
    }

    [Fact]
    public void The_program_lists_its_commands_and_its_version()
    {
        string help = NibbleProcess.Run("--help").Success().Output;
        foreach (string command in Commands.Select(row => row.Data)) Assert.Contains($"  {command} ", help, StringComparison.Ordinal);
        Assert.Matches(@"^\d+\.\d+\.\d+", NibbleProcess.Run("--version").Success().Output);
    }

    [Theory]
    [InlineData("quantize")]
    [InlineData("quantize a b c")]
    [InlineData("show")]
    [InlineData("show a b")]
    [InlineData("perplexity x.gguf")]
    [InlineData("quantize x.gguf Q4_0 --colour")]
    [InlineData("quantize x.gguf -z")]
    [InlineData("run x.gguf --tmp 3")]
    [InlineData("run x.gguf --wrong")]
    [InlineData("run x.gguf -wrong")]
    [InlineData("show x.gguf --tensor")]
    [InlineData("tokenize x.gguf --decod")]
    [InlineData("tour --wrong")]
    [InlineData("run x.gguf Hello --temp")]
    [InlineData("run x.gguf Hello --temp hot")]
    [InlineData("run x.gguf Hello -n many")]
    [InlineData("convert x --type q4_0")]
    [InlineData("bench x.gguf --prompt many")]
    [InlineData("bench x.gguf --prompt 128,0")]
    [InlineData("bench x.gguf --threads-batch -1")]
    [InlineData("perplexity x.gguf --text y -tb 2")]
    [InlineData("eval x.gguf --task arc_easy")]
    [InlineData("eval x.gguf --tasks arc_easy --limit many")]
    [InlineData("diff a b")]
    [InlineData("diff a --prompts p.txt")]
    public void A_command_line_that_makes_no_sense_is_refused_with_a_hint(string line)
    {
        string error = NibbleProcess.Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Refusal();
        Assert.Contains("--help", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_words_the_help_is_printed() => Assert.Contains("quantize", NibbleProcess.Run().Success().Output, StringComparison.Ordinal);

    [Fact]
    public void An_unknown_command_is_named_with_those_there_are()
    {
        string error = NibbleProcess.Run("quantise", "x").Refusal();
        Assert.Contains("'quantise'", error, StringComparison.Ordinal);
        Assert.Contains("quantize", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run x.gguf Hello --temp 0,7", "0,7")]
    [InlineData("run x.gguf Hello -n many", "many")]
    [InlineData("run x.gguf Hello world", "world")]
    [InlineData("run x.gguf -z Hello -n 5", "-z")]
    [InlineData("convert x --type q8_0", "nibble quantize")]
    [InlineData("run x.gguf Hello --cache-type-k q3_0", "q5_0")]
    [InlineData("perplexity x.gguf --text y --cache-rotate maybe", "auto")]
    public void A_refusal_names_the_word_at_fault_in_plain_language(string line, string word)
    {
        string error = NibbleProcess.Run(line.Split(' ')).Refusal();
        Assert.Contains(word, error, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--temp -1", "temperature")]
    [InlineData("--top-k -1", "top-k")]
    [InlineData("--top-p 2", "top-p")]
    [InlineData("--min-p -1", "min-p")]
    [InlineData("--repeat-penalty 0", "repeat penalty")]
    [InlineData("-n -7", "-n")]
    [InlineData("--ctx 0", "--ctx")]
    [InlineData("--ctx 100000", "256")]
    [InlineData("--threads -1", "--threads")]
    [InlineData("--threads -3", "--threads")]
    [InlineData("--threads 2000000000", "--threads")]
    public void A_value_out_of_range_is_named(string option, string part)
    {
        string error = NibbleProcess.Run(["run", SampleModel.At("Q8_0"), "Hello", .. option.Split(' ')]).Refusal();
        Assert.Contains(part, error, StringComparison.Ordinal);
    }
}
