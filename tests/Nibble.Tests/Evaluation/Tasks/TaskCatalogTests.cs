using Nibble.Evaluation.Tasks;

namespace Nibble.Tests.Evaluation.Tasks;

/// <summary>Prompts as the harness's task descriptions give them, written out by hand.</summary>
public class TaskCatalogTests
{
    /// <summary>Each task in the forms that its data come in, with the texts that are scored.</summary>
    public static TheoryData<string, string, string, string[], int> Lines => new()
    {
        { "arc_easy", """{"query": "Question: Why?", "choices": ["a", "b"], "gold": 1}""", "Question: Why?\nAnswer:", [" a", " b"], 1 },
        { "arc_easy", """{"id": "x", "question": "Why?", "choices": {"text": ["a", "b"], "label": ["1", "2"]}, "answerKey": "2"}""", "Question: Why?\nAnswer:", [" a", " b"], 1 },
        { "arc_challenge", """{"question": {"stem": "Why?", "choices": [{"text": "a", "label": "A"}, {"text": "b", "label": "B"}]}, "answerKey": "B"}""", "Question: Why?\nAnswer:", [" a", " b"], 1 },
        { "openbookqa", """{"question_stem": "Fog is", "choices": {"text": ["wet", "dry"], "label": ["A", "B"]}, "answerKey": " A"}""", "Fog is", [" wet", " dry"], 0 },
        { "openbookqa", """{"query": "Fog is", "choices": ["wet", "dry"], "gold": 0}""", "Fog is", [" wet", " dry"], 0 },
        { "piqa", """{"goal": "dresser", "sol1": "pin", "sol2": "finish", "label": 1}""", "Question: dresser\nAnswer:", [" pin", " finish"], 1 },
        { "piqa", """{"query": "Question: dresser\n", "choices": ["pin", "finish"], "gold": 1}""", "Question: dresser\nAnswer:", [" pin", " finish"], 1 },
        { "boolq", """{"passage": "P.", "question": "is it so", "answer": true}""", "P.\nQuestion: is it so?\nAnswer:", [" no", " yes"], 1 },
        { "boolq", """{"passage": "P.", "question": "is it so", "label": 0}""", "P.\nQuestion: is it so?\nAnswer:", [" no", " yes"], 0 },
        { "boolq", """{"query": "Passage: P.\nQuestion: is it so?", "choices": ["no", "yes"], "gold": 1}""", "P.\nQuestion: is it so?\nAnswer:", [" no", " yes"], 1 },
        { "copa", """{"premise": "The man turned on the faucet.", "question": "effect", "choice1": "The toilet filled.", "choice2": "Water flowed.", "label": 1}""", "The man turned on the faucet therefore", ["  the toilet filled.", "  water flowed."], 1 },
        { "copa", """{"query": "The man turned on the faucet, therefore", "choices": ["the toilet filled.", "water flowed."], "gold": 1}""", "The man turned on the faucet therefore", ["  the toilet filled.", "  water flowed."], 1 },
        { "hellaswag", """{"activity_label": "Roof", "ctx_a": "A man [step] sits.  He", "ctx_b": "IS", "endings": ["falls [title] now", " sleeps"], "label": "1"}""", "Roof: A man sits. He Is", [" falls. now", " sleeps"], 1 },
        { "hellaswag", """{"activity_label": "Health", "ctx_a": "[header] How to heal  cuts [title] Wash   it. [step] Use soap. [substeps] Rinse [b", "ctx_b": "", "endings": [" [step] Then DRY it. [title] Cover  it. ", "Then [a] [b] stop."], "label": 0}""", "Health: How to heal cuts. Wash  it. Use soap. Rinse [b", ["  Then DRY it.. Cover it.", " Then  stop."], 0 }, // as Python's str and re make of it
        { "hellaswag", """{"query": "Roof: A man. He", "choices": ["falls", "sleeps"], "gold": 0}""", "Roof: A man. He", [" falls", " sleeps"], 0 },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public void Choices_follow_the_prompt_of_the_harness(string name, string line, string context, string[] continuations, int gold)
    {
        ChoiceItem item = (ChoiceItem)Read(name, line);
        Assert.Equal(continuations.Select(c => new ScoredText(context, c)), item.Texts);
        Assert.Equal(gold, item.Gold);
        Assert.Equal(context + continuations[gold], item.Example);
    }

    [Theory]
    [InlineData("""{"sentence": "Sarah was better than Maria so _ always won. ", "option1": "Sarah", "option2": "Maria", "answer": "1"}""")]
    [InlineData("""{"context_options": ["Sarah was better than Maria so Sarah", "Sarah was better than Maria so Maria"], "continuation": "always won.", "gold": 0}""")]
    public void Winogrande_scores_what_follows_the_blank(string line)
    {
        ChoiceItem item = (ChoiceItem)Read("winogrande", line);
        Assert.Equal([new("Sarah was better than Maria so Sarah", " always won."), new ScoredText("Sarah was better than Maria so Maria", " always won.")], item.Texts);
        Assert.Equal(0, item.Gold);
    }

    [Theory]
    [InlineData("""{"text": "I don't care about signs"}""")]
    [InlineData("""{"context": "I don't care about", "continuation": "signs"}""")]
    public void Lambada_scores_the_last_word(string line) => Assert.Equal(new("I don't care about", " signs"), ((PredictionItem)Read("lambada", line)).Text);

    [Theory]
    [InlineData("""{"question": "How many?", "answer": "2 + 2 = 4\n#### 4"}""")]
    [InlineData("""{"context": "How many?", "chain_of_thought": "2 + 2 = 4", "answer": "4"}""")]
    public void Gsm8k_asks_for_a_solution(string line)
    {
        GenerationItem item = (GenerationItem)Read("gsm8k", line);
        Assert.Equal("Question: How many?\nAnswer:", item.Prompt);
        Assert.Equal("Question: How many?\nAnswer: 2 + 2 = 4\n#### 4", item.Example);
        Assert.Equal(["Question:", "</s>", "<|im_end|>"], item.Until);
    }

    [Fact]
    public void Mmlu_reads_published_files_and_says_what_it_is_about()
    {
        using TemporaryFolder folder = new();
        folder.Write("mmlu/test/world_religions_test.csv", "\" What are \"murtis\"?\",Offerings,\"Prayers, or not\",\"\"Idols\"\",\"He said \"\"no\"\", twice\",D\n");
        folder.Write("mmlu/dev/world_religions_dev.csv", "One?,a,b,c,d,A\nTwo?,a,b,c,d,B\n");
        EvaluationTask task = Assert.Single(TaskCatalog.Load(["mmlu"], folder.Path));
        Assert.Equal(("mmlu_world_religions", "mmlu"), (task.Name, task.Group));
        ChoiceItem item = (ChoiceItem)Assert.Single(task.Items);
        Assert.Equal("What are \"murtis\"?\nA. Offerings\nB. Prayers, or not\nC. \"Idols\"\nD. He said \"no\", twice\nAnswer:", item.Texts[0].Context);
        Assert.Equal([" A", " B", " C", " D"], item.Texts.Select(t => t.Continuation));
        Assert.Equal(3, item.Gold);
        Assert.Equal("The following are multiple choice questions (with answers) about world religions.\n\nOne?\nA. a\nB. b\nC. c\nD. d\nAnswer: A\n\n", new FewShot(task, 1, 1234).Before(item));
    }

    [Fact]
    public void Mgsm_asks_in_the_language()
    {
        using TemporaryFolder folder = new();
        folder.Write("mgsm/de.tsv", "Wie viele?\t18\n");
        GenerationItem direct = (GenerationItem)TaskCatalog.Load(["mgsm"], folder.Path)[0].Items[0];
        Assert.Equal("Frage: Wie viele?\nAntwort:", direct.Prompt);
        Assert.Equal("Frage: Wie viele?\nAntwort:18", direct.Example);
        GenerationItem solution = (GenerationItem)TaskCatalog.Load(["mgsm_native_cot_de"], folder.Path)[0].Items[0];
        Assert.Equal("Frage: Wie viele?\nSchritt-für-Schritt-Antwort:", solution.Prompt);
    }

    [Fact]
    public void Examples_are_drawn_as_Python_draws_them()
    {
        EvaluationTask task = new("t", TaskDomain.Reasoning, [TaskMetric.Accuracy], [.. Enumerable.Range(0, 100).Select(i => ChoiceItem.OfContinuations($"{i}", $"Q{i}", ["a", "b"], 0))]);
        FewShot own = new(task, 4, 1234);
        Assert.Equal(Of(99, 56, 14, 11), own.Before(task.Items[0])); // without itself, which random.Random(1234).sample(range(100), 5) has as the fourth
        Assert.Equal(Of(74, 4, 85, 88), own.Before(task.Items[1]));
        Assert.Equal(Of(99, 56, 14, 0, 11), new FewShot(task with { Examples = [.. task.Items.Select(i => i with { })] }, 5, 1234).Before(task.Items[0]));

        static string Of(params int[] items) => string.Concat(items.Select(i => $"Q{i} a\n\n"));
    }

    [Fact]
    public void All_data_of_the_shared_folder_are_read()
    {
        IReadOnlyList<EvaluationTask> tasks = TaskCatalog.Load(TaskCatalog.Names.Where(n => n != "hellaswag"), Shared.Find("evals"));
        Assert.Equal(100, tasks.First(t => t.Name == "mmlu_college_computer_science").Items.Count);
        Assert.Equal(164, tasks.First(t => t.Name == "humaneval").Items.Count);
        Assert.Equal(8 * 100, tasks.Where(t => t.Group == "mmlu").Sum(t => t.Items.Count));
        Assert.Equal(8, tasks.Count(t => t.Group == "mgsm_direct"));
    }

    [Theory]
    [InlineData("piqa", """{"goal": "g", "sol1": "a", "sol2": "b"}""", "line 2: the field \"label\" is missing")]
    [InlineData("piqa", """{"goal": "g", "sol1": "a", "sol2": "b", "label": -1}""", "line 2: the field \"label\" is -1")]
    [InlineData("piqa", """{"goal": "g", "sol1": ["a"], "sol2": "b", "label": 1}""", "line 2: the field \"sol1\" must be a text, and is a list")]
    [InlineData("arc_easy", """{"query": "q", "choices": "ab", "gold": 0}""", "line 2: the field \"choices\" must be a list of texts, and is a text")]
    [InlineData("arc_easy", """{"query": "q", "choices": ["a"], "gold": 0}""", "line 2: the field \"choices\" has 1 texts")]
    [InlineData("arc_easy", """{"question": "q", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "C"}""", "line 2: the field \"answerKey\" is 'C'")]
    [InlineData("copa", """{"premise": "p.", "question": "why", "choice1": "a", "choice2": "b", "label": 0}""", "line 2: the field \"question\" is 'why'")]
    [InlineData("winogrande", """{"sentence": "no blank", "option1": "a", "option2": "b", "answer": "1"}""", "line 2: the field \"sentence\" has no blank")]
    [InlineData("boolq", """["passage"]""", "line 2: is no JSON object")]
    [InlineData("boolq", """{"passage" "x"}""", "line 2: is not valid JSON")]
    public void What_is_wrong_names_file_line_and_field(string name, string line, string problem)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write($"{name}.jsonl", "\n" + line + "\n");
        Assert.StartsWith($"{path}: {problem}", Assert.Throws<NibbleException>(() => TaskCatalog.Load([name], folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_data_and_unknown_names_say_what_there_is()
    {
        using TemporaryFolder folder = new();
        string missing = Assert.Throws<NibbleException>(() => TaskCatalog.Load(["arc_easy"], folder.Path)).Message;
        Assert.Contains(folder.Path, missing, StringComparison.Ordinal);
        Assert.Contains("https://huggingface.co/datasets/allenai/ai2_arc", missing, StringComparison.Ordinal);
        Assert.Contains("--task-dir", missing, StringComparison.Ordinal);
        Assert.Contains("winogrande", Assert.Throws<NibbleException>(() => TaskCatalog.Load(["arc_eazy"], folder.Path)).Message, StringComparison.Ordinal);
        foreach (string group in (string[])["mmlu", "mmlu_astronomy", "mgsm", "mgsm_direct_de"])
            Assert.Contains("get them from https://", Assert.Throws<NibbleException>(() => TaskCatalog.Load([group], folder.Path)).Message, StringComparison.Ordinal);
    }

    private static TaskItem Read(string name, string line)
    {
        using TemporaryFolder folder = new();
        folder.Write($"{name}.jsonl", line);
        return TaskCatalog.Load([name], folder.Path)[0].Items[0];
    }
}
