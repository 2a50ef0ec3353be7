using System.Text.RegularExpressions;
using Nibble.Evaluation.Tasks.Data;

namespace Nibble.Evaluation.Tasks.Named;

/// <summary>
/// MGSM (Shi et al. 2022, arXiv:2210.03057): the first 250 problems of GSM8K in other languages, to be answered at once
/// (<c>mgsm_direct_de</c>) or with a solution in that language (<c>mgsm_native_cot_de</c>).
/// </summary>
internal static class Mgsm
{
    public const string Direct = "mgsm_direct", NativeSolution = "mgsm_native_cot";

    /// <summary>The words of a language.</summary>
    /// <param name="Code">ISO 639-1.</param>
    /// <param name="Question">What stands before a question, and ends an answer where it comes again.</param>
    /// <param name="Solution">What asks for a solution.</param>
    /// <param name="Answer">What asks for the answer alone.</param>
    /// <param name="Result">Finds the answer in a solution.</param>
    private sealed record Language(string Code, string Question, string Solution, string Answer, string Result);

    // The words are the harness's, also where a language has "Answer:" or lacks a space.
    private static readonly Language[] s_languages =
    [
        new("bn", "প্রশ্ন:", "ধাপে ধাপে উত্তর:", "Answer:", @"The answer is (-?[0-9.,]+)"),
        new("de", "Frage:", "Schritt-für-Schritt-Antwort:", "Antwort:", @"Die Antwort lautet (-?[0-9.,]+)"),
        new("en", "Question:", "Step-by-Step Answer:", "Answer:", @"The answer is (-?[0-9.,]+)"),
        new("es", "Pregunta:", "Respuesta paso a paso:", "Respuesta:", @"La respuesta es (-?[0-9.,]+)"),
        new("fr", "Question :", "Réponse étape par étape :", "Réponse :", @"La réponse est (-?[0-9.,]+)"),
        new("ja", "問題：", "ステップごとの答え:", "Answer:", @"答えは(-?[0-9.,]+)です。"),
        new("ru", "Задача:", "Пошаговоерешение:", "Answer:", @"Ответ — (-?[0-9.,]+)"),
        new("sw", "Swali:", "Jibu la Hatua kwa Hatua:", "Answer:", @"Jibu ni (-?[0-9.,]+)"),
        new("te", "ప్రశ్న:", "దశలవారీగా సమాధానం:", "Answer:", @"సమాధానం (-?[0-9.,]+)"),
        new("th", "โจทย์:", "คำตอบทีละขั้นตอน:", "Answer:", @"คำตอบคือ (-?[0-9.,]+)"),
        new("zh", "问题：", "逐步解答:", "Answer:", @"答案是 (-?[0-9.,]+)。"),
    ];

    private static readonly TaskMetric s_flexible = new("exact_match", (item, outcome) => IsRight(item, AnswerExtraction.LastNumber(outcome.Text!)), "flexible-extract");

    public static IReadOnlyList<string> Languages { get; } = [.. s_languages.Select(l => l.Code)];

    /// <summary>The task of a language.</summary>
    /// <param name="group"><see cref="Direct"/> or <see cref="NativeSolution"/>.</param>
    /// <param name="code">One of <see cref="Languages"/>.</param>
    /// <param name="path">Its data: <c>.tsv</c> as published, or JSON Lines.</param>
    public static EvaluationTask Load(string group, string code, string path)
    {
        Language language = s_languages.First(l => l.Code == code);
        bool isDirect = group == Direct;
        string asks = isDirect ? language.Answer : language.Solution, between = isDirect ? "" : " ";
        TaskItem[] items = [.. Questions(path).Select(q =>
        {
            string prompt = $"{language.Question} {q.Question}\n{asks}";
            return new GenerationItem(q.Id, prompt, q.Answer, [language.Question, "</s>", "<|im_end|>"], Gsm8k.MostTokens, prompt + between + q.Answer);
        })];
        Regex result = new(language.Result, RegexOptions.CultureInvariant);
        TaskMetric strict = isDirect
            ? new("exact_match", (item, outcome) => IsRight(item, outcome.Text!.TrimStart()), "remove_whitespace")
            : new("exact_match", (item, outcome) => IsRight(item, AnswerExtraction.First(result, outcome.Text!)), "strict-match");
        return new($"{group}_{code}", TaskDomain.Multilingual, [strict, s_flexible], items) { Group = group, Files = [path] };
    }

    private static IEnumerable<(string Id, string Question, string Answer)> Questions(string path)
    {
        if (!path.EndsWith(".tsv", StringComparison.OrdinalIgnoreCase))
            return DataFile.ReadJsonLines(path, row => (row.Id, row.String("question"), row.String("answer_number")));
        return DataFile.ReadTabs(path).Select(r => r.Fields is [var question, var answer]
            ? ($"line {r.Line}", question, answer)
            : Throw.BadFile<(string, string, string)>(path, $"line {r.Line}: has {r.Fields.Length} fields, and must have a question, a tab and its answer"));
    }

    private static double IsRight(TaskItem item, string found) => AnswerExtraction.IsSameWithoutPunctuation(found, ((GenerationItem)item).Answer!) ? 1 : 0;
}
