using System.Globalization;
using System.Text.RegularExpressions;
using Nibble.Evaluation.Tasks.Data;

namespace Nibble.Evaluation.Tasks.Named;

/// <summary>
/// How a line of each task's data becomes a question, after the task descriptions of the harness. Lines come in the form that the data's
/// authors or Hugging Face publish, or in the form <c>{"query", "choices", "gold"}</c> of llm-foundry.
/// </summary>
internal static partial class ChoiceTasks
{
    private const string QuestionMark = "Question: ";

    /// <summary>ARC (Clark et al. 2018, arXiv:1803.05457).</summary>
    public static TaskItem Arc(TaskRow row)
    {
        (string question, string[] choices, int gold) = LabelledChoices.Read(row);
        return ChoiceItem.OfContinuations(row.Id, $"{QuestionMark}{Without(question, QuestionMark)}\nAnswer:", choices, gold);
    }

    /// <summary>OpenBookQA (Mihaylov et al. 2018, arXiv:1809.02789).</summary>
    public static TaskItem OpenBookQa(TaskRow row)
    {
        (string question, string[] choices, int gold) = LabelledChoices.Read(row);
        return ChoiceItem.OfContinuations(row.Id, question, choices, gold);
    }

    /// <summary>PIQA (Bisk et al. 2020, arXiv:1911.11641).</summary>
    public static TaskItem Piqa(TaskRow row)
    {
        string goal = row.Has("query") ? Without(row.String("query"), QuestionMark).TrimEnd('\n') : row.String("goal");
        string[] choices = row.Has("query") ? row.Strings("choices", atLeast: 2) : [row.String("sol1"), row.String("sol2")];
        return ChoiceItem.OfContinuations(row.Id, $"{QuestionMark}{goal}\nAnswer:", choices, row.Index(row.Has("query") ? "gold" : "label", choices.Length));
    }

    /// <summary>WinoGrande (Sakaguchi et al. 2020, arXiv:1907.10641): what follows the blank is scored, given each way to fill it.</summary>
    public static TaskItem Winogrande(TaskRow row)
    {
        if (row.Has("context_options"))
        {
            string[] contexts = row.Strings("context_options", atLeast: 2);
            return ChoiceItem.OfContexts(row.Id, contexts, row.String("continuation"), row.Index("gold", contexts.Length));
        }
        string sentence = row.String("sentence");
        int blank = sentence.IndexOf('_', StringComparison.Ordinal);
        if (blank < 0) row.Bad<int>("the field \"sentence\" has no blank, which is written _");
        return ChoiceItem.OfContexts(row.Id, [sentence[..blank] + row.String("option1"), sentence[..blank] + row.String("option2")], sentence[(blank + 1)..].Trim(), row.Index("answer", 2, first: 1));
    }

    /// <summary>HellaSwag (Zellers et al. 2019, arXiv:1905.07830), without what WikiHow's pages leave in the texts.</summary>
    public static TaskItem HellaSwag(TaskRow row)
    {
        if (row.Has("query"))
        {
            string[] choices = row.Strings("choices", atLeast: 2);
            return ChoiceItem.OfContinuations(row.Id, row.String("query"), choices, row.Index("gold", choices.Length));
        }
        string second = row.String("ctx_b");
        if (second.Length > 0) second = char.ToUpper(second[0], CultureInfo.InvariantCulture) + second[1..].ToLowerInvariant();
        string[] endings = [.. row.Strings("endings", atLeast: 2).Select(Clean)];
        return ChoiceItem.OfContinuations(row.Id, Clean($"{row.String("activity_label")}: {row.String("ctx_a")} {second}"), endings, row.Index("label", endings.Length));

        static string Clean(string text) => Brackets().Replace(text.Trim().Replace(" [title]", ". ", StringComparison.Ordinal), "").Replace("  ", " ", StringComparison.Ordinal);
    }

    /// <summary>BoolQ (Clark et al. 2019, arXiv:1905.10044).</summary>
    public static TaskItem BoolQ(TaskRow row)
    {
        if (row.Has("query"))
        {
            string[] choices = row.Strings("choices", atLeast: 2);
            return ChoiceItem.OfContinuations(row.Id, $"{Without(row.String("query"), "Passage: ")}\nAnswer:", choices, row.Index("gold", choices.Length));
        }
        return ChoiceItem.OfContinuations(row.Id, $"{row.String("passage")}\nQuestion: {row.String("question")}?\nAnswer:", ["no", "yes"], row.Index(row.Has("label") ? "label" : "answer", 2));
    }

    /// <summary>COPA (Roemmele et al. 2011). The choices begin with a space of their own behind the usual one, as they do in the harness.</summary>
    public static TaskItem Copa(TaskRow row)
    {
        string[] choices;
        string text;
        int gold;
        if (row.Has("query"))
        {
            choices = row.Strings("choices", atLeast: 2);
            text = CommaBeforeConnector().Replace(row.String("query"), " $1");
            gold = row.Index("gold", choices.Length);
        }
        else
        {
            string question = row.String("question"), premise = row.String("premise").Trim();
            string connector = question switch
            {
                "cause" => "because",
                "effect" => "therefore",
                _ => row.Bad<string>($"the field \"question\" is '{question}', and must be cause or effect"),
            };
            choices = [row.String("choice1"), row.String("choice2")];
            text = $"{(premise.Length > 0 ? premise[..^1] : "")} {connector}"; // without the full stop
            gold = row.Index("label", 2);
        }
        return ChoiceItem.OfContinuations(row.Id, text, [.. choices.Select(c => " " + (c.Length > 0 ? char.ToLowerInvariant(c[0]) + c[1..] : c))], gold);
    }

    /// <summary>LAMBADA (Paperno et al. 2016, arXiv:1606.06031) in OpenAI's form: the last word of a passage.</summary>
    public static TaskItem Lambada(TaskRow row)
    {
        string context, word;
        if (row.Has("text"))
        {
            string text = row.String("text");
            int space = text.LastIndexOf(' ');
            if (space < 0) row.Bad<int>("the field \"text\" has only one word");
            (context, word) = (text[..space], text[(space + 1)..]);
        }
        else (context, word) = (row.String("context"), row.String("continuation"));
        return new PredictionItem(row.Id, new(context, " " + word), $"{context}  {word}"); // two spaces between them, as in the harness's examples
    }

    private static string Without(string text, string start) => text.StartsWith(start, StringComparison.Ordinal) ? text[start.Length..] : text;

    [GeneratedRegex(@"\[.*?\]")]
    private static partial Regex Brackets();

    [GeneratedRegex(", (because|therefore)$")]
    private static partial Regex CommaBeforeConnector();
}
