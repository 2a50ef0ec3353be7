using System.Text.Json;

namespace Nibble.Tests.Cli;

public class EvalCommandTests
{
    private const string Questions = """
        {"query": "Once upon a time there was a little", "choices": ["girl", "zebra crossing"], "gold": 0}
        {"query": "The sky is", "choices": ["blue", "and or"], "gold": 1}
        """;

    [Fact]
    public void Results_come_with_their_errors_and_are_kept_for_the_next_run()
    {
        using TemporaryFolder folder = new();
        string[] arguments = ["eval", SampleModel.At("Q8_0"), "--task-file", folder.Write("mine.jsonl", Questions), "--cache-dir", folder.At("kept"), "--json"];
        NibbleResult first = NibbleProcess.Run(arguments).Success(), second = NibbleProcess.Run(arguments).Success();
        using JsonDocument json = JsonDocument.Parse(first.Output);
        JsonElement mine = json.RootElement.GetProperty("results").GetProperty("mine");
        Assert.Equal(2, mine.GetProperty("items").GetInt32());
        double accuracy = mine.GetProperty("acc,none").GetDouble();
        Assert.Equal(Math.Sqrt(accuracy * (1 - accuracy)), mine.GetProperty("acc_stderr,none").GetDouble(), 1e-12); // of two items: sqrt(p (1 - p) / (2 - 1))
        Assert.Equal(first.Output, second.Output);
        Assert.Contains("2 of 2 items kept", second.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_comparison_shows_its_uncertainty()
    {
        string evals = Shared.Find("evals");
        using TemporaryFolder folder = new();
        NibbleResult result = NibbleProcess.Run("eval", SampleModel.At("Q2_K"), "--base", SampleModel.At("Q8_0"), "--tasks", "copa,mmlu_astronomy", "--limit", "40", "--task-dir", evals, "--cache-dir", folder.Path, "--json").Success();
        using JsonDocument json = JsonDocument.Parse(result.Output);
        JsonElement copa = json.RootElement.GetProperty("comparison").GetProperty("copa").GetProperty("acc,none");
        double difference = copa.GetProperty("difference").GetDouble();
        Assert.InRange(difference, copa.GetProperty("lower").GetDouble(), copa.GetProperty("upper").GetDouble());
        Assert.Equal(difference, (copa.GetProperty("gained").GetInt32() - copa.GetProperty("lost").GetInt32()) / 40.0, 1e-12);
        Assert.InRange(copa.GetProperty("p").GetDouble(), 0, 1);
        string table = NibbleProcess.Run("eval", SampleModel.At("Q2_K"), "--base", SampleModel.At("Q8_0"), "--tasks", "copa", "--limit", "40", "--task-dir", evals, "--cache-dir", folder.Path).Success().Output;
        Assert.Contains("difference (95 %)", table, StringComparison.Ordinal);
        Assert.All(table.Split('\n'), line => Assert.InRange(line.TrimEnd().Length, 0, 80));
    }

    [Fact]
    public void Code_is_written_for_its_checker_and_nothing_else()
    {
        string evals = Shared.Find("evals");
        using TemporaryFolder folder = new();
        NibbleResult result = NibbleProcess.Run("eval", SampleModel.At("Q8_0"), "--tasks", "humaneval", "--limit", "2", "--task-dir", evals, "--no-resume", "--samples", folder.At("samples.jsonl")).Success();
        Assert.Contains("nothing of it was executed", result.Output, StringComparison.Ordinal);
        string[] lines = File.ReadAllLines(folder.At("samples.jsonl"));
        Assert.Equal(2, lines.Length);
        using JsonDocument sample = JsonDocument.Parse(lines[0]);
        Assert.StartsWith("HumanEval/", sample.RootElement.GetProperty("task_id").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.String, sample.RootElement.GetProperty("completion").ValueKind);
    }

    [Fact]
    public void Completions_are_not_written_over_what_is_read()
    {
        using TemporaryFolder folder = new();
        string model = folder.At("model.gguf"), data = folder.Write("humaneval.jsonl", """{"task_id": "HumanEval/0", "prompt": "def f():\n"}""");
        File.Copy(SampleModel.At("Q8_0"), model);
        foreach ((string target, string what) in ((string, string)[])[(model, "the model that is read"), (data, "what a task reads")])
        {
            byte[] before = File.ReadAllBytes(target);
            foreach (string[] models in (string[][])[[model], [SampleModel.At("Q2_K"), "--base", model]])
                Assert.Contains($"{target}: is {what}; name another file with --samples", NibbleProcess.Run(["eval", .. models, "--tasks", "humaneval", "--task-dir", folder.Path, "--no-resume", "--samples", target]).Refusal(), StringComparison.Ordinal);
            Assert.Equal(before, File.ReadAllBytes(target));
        }
    }

    [Fact]
    public void Texts_of_two_levels_are_shown_side_by_side()
    {
        using TemporaryFolder folder = new();
        string prompts = folder.Write("prompts.txt", "Once upon a time\nThe captain said\nGive me JSON:\n");
        string[] arguments = ["diff", SampleModel.At("F32"), SampleModel.At("Q2_K"), "--prompts", prompts, "-n", "32"];
        string text = NibbleProcess.Run(arguments).Success().Output;
        Assert.Contains("prompts that agree", text, StringComparison.Ordinal);
        Assert.Contains("valid JSON of 1 prompt that asks", text, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(NibbleProcess.Run([.. arguments, "--json"]).Success().Output);
        Assert.Equal(3, json.RootElement.GetProperty("prompts").GetArrayLength());
        Assert.Equal([1, 2, 4, 8, 16, 32], json.RootElement.GetProperty("agreement").EnumerateArray().Select(a => a.GetProperty("tokens").GetInt32()));
    }

    [Fact]
    public void What_cannot_be_asked_is_refused_in_one_line()
    {
        using TemporaryFolder folder = new();
        string model = SampleModel.At("Q8_0"), broken = folder.Write("broken.jsonl", """{"query": "q", "choices": ["a", "b"]}""");
        Assert.Contains("line 1: the field \"gold\" is missing", NibbleProcess.Run("eval", model, "--task-file", broken).Refusal(), StringComparison.Ordinal);
        Assert.Contains("there is no task 'arc_eazy'", NibbleProcess.Run("eval", model, "--tasks", "arc_eazy").Refusal(), StringComparison.Ordinal);
        Assert.Contains("has no data of arc_easy", NibbleProcess.Run("eval", model, "--tasks", "arc_easy", "--task-dir", folder.Path).Refusal(), StringComparison.Ordinal);
        Assert.Contains("--tasks", NibbleProcess.Run("eval", model).Refusal(), StringComparison.Ordinal);
        Assert.Contains("--limit", NibbleProcess.Run("eval", model, "--tasks", "arc_easy", "--limit", "0").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_are_kept_in_the_file_with_all_that_tells_how_they_came_about()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("tiny-Q8_0.gguf"), mine = folder.Write("mine.jsonl", Questions);
        File.Copy(SampleModel.At("Q8_0"), path);
        NibbleResult result = NibbleProcess.Run("eval", path, "--task-file", mine, "--no-resume", "--num-fewshot", "1", "--seed", "5", "--cache-type", "q8_0", "--save-card").Success();
        Assert.Contains($"stored in {path}, wrote {path}.md", result.Output, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(NibbleProcess.Run("show", path, "--json").Success().Output);
        JsonElement[] scores = [.. json.RootElement.GetProperty("evaluation").GetProperty("tasks").EnumerateArray()];
        Assert.Equal(["acc", "acc_norm", "acc_bytes"], scores.Select(s => s.GetProperty("metric").GetString()));
        Assert.All(scores, s => Assert.Equal(("mine", 2, 1, 5, "q8_0"), (s.GetProperty("task").GetString(), s.GetProperty("items").GetInt32(), s.GetProperty("shots").GetInt32(), s.GetProperty("seed").GetInt32(), s.GetProperty("cache").GetString())));
        Assert.Contains("2 questions, 1 examples each, seed 5, cache q8_0", NibbleProcess.Run("show", path).Success().Output, StringComparison.Ordinal);
        Assert.Contains("| mine | acc_norm |", File.ReadAllText(path + ".md"), StringComparison.Ordinal);
        string[] fewer = ["eval", path, "--task-file", mine, "--no-resume", "--limit", "1", "--save-card"];
        Assert.Contains("the score of 2 questions of mine; one of 1 would take its place", NibbleProcess.Run(fewer).Refusal(), StringComparison.Ordinal);
        NibbleProcess.Run([.. fewer, "--force"]).Success();
        Assert.Contains("1 questions (--limit 1)", NibbleProcess.Run("show", path).Success().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_models_are_looked_at_before_one_of_them_runs()
    {
        using TemporaryFolder folder = new();
        string mine = folder.Write("mine.jsonl", Questions), other = folder.At("other.gguf");
        File.Copy(SampleModel.At("Q8_0"), other);
        Nibble.Files.Gguf.GgufMetadata.Rewrite(other, metadata =>
        {
            string[] tokens = metadata.Strings("tokenizer.ggml.tokens")!;
            (tokens[1234], tokens[1300]) = ("somethingelse", "somethingmore");
            metadata["tokenizer.ggml.tokens"] = Nibble.Files.MetadataValue.Of(tokens);
            metadata["tokenizer.ggml.merges"] = Nibble.Files.MetadataValue.Of((string[])[]);
        });
        foreach (string[] command in (string[][])[["eval", other, "--base", SampleModel.At("Q8_0"), "--task-file", mine, "--no-resume"], ["diff", SampleModel.At("Q8_0"), other, "--prompts", folder.Write("p.txt", "Once")]])
            Assert.Contains($"{other}: token 1234 is 'somethingelse'", NibbleProcess.Run(command).Refusal(), StringComparison.Ordinal);
        string missing = folder.At("missing.gguf"), damaged = folder.Write("damaged.gguf", SampleModel.Damaged("blk.0.attn_v.weight"));
        // The first, which would fail when it runs, does not.
        Assert.Contains($"{missing}: no such file", NibbleProcess.Run("diff", damaged, missing, "--prompts", folder.At("p.txt")).Refusal(), StringComparison.Ordinal);
        Assert.Contains($"{missing}: no such file", NibbleProcess.Run("eval", missing, "--base", damaged, "--task-file", mine, "--no-resume").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Completions_of_another_model_are_not_lost()
    {
        using TemporaryFolder folder = new();
        folder.Write("humaneval.jsonl", """{"task_id": "HumanEval/0", "prompt": "def f():\n"}""");
        string target = folder.Write("samples.jsonl", "of yesterday\n");
        string[] arguments = ["eval", SampleModel.At("Q2_K"), "--tasks", "humaneval", "--task-dir", folder.Path, "--no-resume", "--samples", target];
        Assert.Contains("--force", NibbleProcess.Run(arguments).Refusal(), StringComparison.Ordinal);
        Assert.Equal("of yesterday\n", File.ReadAllText(target));
        NibbleProcess.Run([.. arguments, "--force"]).Success();
        Assert.StartsWith("{\"task_id\"", File.ReadAllText(target), StringComparison.Ordinal);
    }

    [Fact]
    public void A_journal_serves_one_process_at_a_time()
    {
        using TemporaryFolder folder = new();
        string[] arguments = ["eval", SampleModel.At("Q8_0"), "--task-file", folder.Write("mine.jsonl", Questions), "--cache-dir", folder.At("kept")];
        NibbleProcess.Run(arguments).Success();
        using FileStream held = new(Assert.Single(Directory.GetFiles(folder.At("kept"))), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.Contains("another nibble is evaluating this model", NibbleProcess.Run(arguments).Refusal(), StringComparison.Ordinal);
    }
}
