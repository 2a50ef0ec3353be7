using System.CommandLine;
using System.Globalization;
using System.Text;
using Nibble.Cli.Terminal;
using Nibble.Tokenizers;
using Spectre.Console;

namespace Nibble.Cli.Commands;

/// <summary><c>nibble tokenize FILE TEXT</c>: a text as tokens, and tokens as text.</summary>
internal static class TokenizeCommand
{
    public static Command Create()
    {
        Argument<string> model = new("FILE") { Description = "A GGUF file, a Hugging Face model folder, or a tokenizer.json or tokenizer.model." };
        Argument<string?> text = new("TEXT") { Description = "The text, or with --decode the ids. Without it: standard input.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> file = new("--file", "-f") { Description = "Read the text from a file.", HelpName = "FILE" };
        Option<bool> decode = new("--decode", "-d") { Description = "Turn ids, separated by spaces or commas, back into text." };
        Option<bool> noBos = new("--no-bos") { Description = "Do not add the tokens with which the model begins and ends a text." };
        Option<bool> noSpecial = new("--no-parse-special") { Description = "Take names of control tokens, such as <|im_end|>, as plain text." };
        Option<bool> ids = new("--ids") { Description = "Print the ids alone, on one line." };
        Option<bool> json = CommonOptions.Json();
        CommandWithExamples command = new("tokenize", "Show the tokens of a text, or the text of tokens.",
            "nibble tokenize models/tiny \"Hello world\"",
            "nibble tokenize models/tiny --decode \"39 528 78 1156\"",
            "nibble tokenize models/tiny/tokenizer.json --file story.txt --ids")
        {
            model, text, file, decode, noBos, noSpecial, ids, json,
        };
        command.SetAction(parsed =>
        {
            string? argument = parsed.GetValue(text), path = parsed.GetValue(file);
            if (argument is not null && path is not null) throw new NibbleException("a text and --file were both given; give one");
            Tokenizer tokenizer = Tokenizer.Open(parsed.GetRequiredValue(model));
            byte[] input = argument is not null ? Encoding.UTF8.GetBytes(argument) : path is not null ? TextFile.Read(path) : TextFile.ReadStandardInput();
            int[] tokens = parsed.GetValue(decode)
                ? ParseIds(Encoding.UTF8.GetString(input))
                : tokenizer.Encode(input, addSpecial: !parsed.GetValue(noBos), parseSpecial: !parsed.GetValue(noSpecial));
            string back = tokenizer.Decode(tokens, special: parsed.GetValue(decode));

            if (parsed.GetValue(json)) WriteJson(tokenizer, tokens, back);
            else if (parsed.GetValue(ids)) Console.Out.WriteLine(string.Join(' ', tokens));
            else if (parsed.GetValue(decode)) Console.Out.WriteLine(back);
            else WriteTable(tokenizer, tokens);
        });
        return command;
    }

    private static int[] ParseIds(string text)
    {
        string[] parts = text.Split([' ', ',', '\t', '\r', '\n', '[', ']'], StringSplitOptions.RemoveEmptyEntries);
        return Array.ConvertAll(parts, part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int id)
            ? id
            : throw new NibbleException($"'{part}' is no token id; ids are whole numbers separated by spaces or commas"));
    }

    private static void WriteTable(Tokenizer tokenizer, int[] tokens)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn("id").RightAligned()).AddColumn("piece");
        foreach (int token in tokens) table.AddRow(token.ToString(CultureInfo.InvariantCulture), Markup.Escape($"'{Format.Printable(tokenizer.Piece(token))}'"));
        Screen.Out.Write(table);
        Screen.Print($"{tokens.Length} tokens");
    }

    private static void WriteJson(Tokenizer tokenizer, int[] tokens, string back) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("count", tokens.Length);
        json.WriteStartArray("tokens");
        foreach (int token in tokens)
        {
            json.WriteStartObject();
            json.WriteNumber("id", token);
            json.WriteString("piece", tokenizer.Piece(token));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("text", back);
        json.WriteEndObject();
    });
}
