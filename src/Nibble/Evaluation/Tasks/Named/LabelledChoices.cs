using Nibble.Evaluation.Tasks.Data;

namespace Nibble.Evaluation.Tasks.Named;

/// <summary>
/// A question of ARC or OpenBookQA, in three forms: as their authors publish it, <c>{"question": {"stem", "choices": [{"text", "label"}]},
/// "answerKey"}</c>; as Hugging Face has it, with the choices as two lists; and <c>{"query", "choices", "gold"}</c>.
/// </summary>
internal readonly record struct LabelledChoices(string Question, string[] Choices, int Gold)
{
    public static LabelledChoices Read(TaskRow row)
    {
        if (row.Has("query"))
        {
            string[] texts = row.Strings("choices", atLeast: 2);
            return new(row.String("query"), texts, row.Index("gold", texts.Length));
        }
        TaskRow holder = row.IsObject("question") ? row.Inner("question") : row;
        string question = row.IsObject("question") ? holder.String("stem") : row.Has("question_stem") ? row.String("question_stem") : row.String("question");
        string[] choices, labels;
        if (holder.IsArray("choices"))
        {
            TaskRow[] rows = holder.Rows("choices");
            choices = [.. rows.Select(r => r.String("text"))];
            labels = [.. rows.Select(r => r.String("label"))];
        }
        else
        {
            TaskRow lists = holder.Inner("choices");
            choices = lists.Strings("text", atLeast: 2);
            labels = lists.Strings("label", atLeast: 2);
        }
        string key = row.String("answerKey").TrimStart();
        int gold = Array.IndexOf(labels, key);
        if (gold < 0 || gold >= choices.Length) row.Bad<int>($"the field \"answerKey\" is '{key}', and the choices are labelled {string.Join(", ", labels)}");
        return new(question, choices, gold);
    }
}
