using System.Text;
using Nibble.Evaluation.Comparison;
using Nibble.Evaluation.Comparison.Running;
using Nibble.Evaluation.Divergence;
using Nibble.Evaluation.Tasks;
using Nibble.Files;
using Nibble.Generation;
using Nibble.Quantization;

namespace Nibble.Tests.Evaluation.Comparison;

/// <summary>Whole comparisons of the sample model.</summary>
public sealed class ComparerTests
{
    private const int Context = 64, Windows = 12;

    private static readonly byte[] s_text = File.ReadAllBytes(Path.Combine(Shared.TinyModel, "sample.txt"));

    [Fact]
    public void Its_figures_are_those_of_measuring_each_pair_alone()
    {
        using TemporaryFolder folder = new();
        ComparisonReport report = Comparer.Run(Options(folder, "Q8_0", "Q4_K_M", "Q2_K"));
        Assert.Equal(["Q8_0", "Q4_K_M", "Q2_K"], report.Variants.Select(v => v.Model.Name));

        using LanguageModel original = LanguageModel.Open(SampleModel.At("F32"), 1);
        Nibble.Evaluation.EvaluationOptions reading = Nibble.Evaluation.EvaluationOptions.For(original, Context) with { Windows = Windows };
        int[] tokens = original.Tokenizer.Encode(s_text);
        foreach (VariantReport variant in report.Variants)
        {
            using LanguageModel model = SampleModel.Open(variant.Model.Name);
            DivergenceResult expected = DivergenceMeasurement.Measure(original.Network, model.Network, tokens, reading, original.Pool);
            Assert.Equal(expected.Mean.Value, variant.Divergence.MeanKld.Value, 1e-9);
            Assert.Equal(expected.Mean.Error, variant.Divergence.MeanKld.Error, 1e-9);
            Assert.Equal(expected.Ratio.Value, variant.Divergence.PerplexityRatio.Value, 1e-9);
            Assert.Equal(1 - expected.SameTop.Value, variant.Divergence.TopChanged.Value, 1e-9);
            Assert.Equal(expected.Divergences.At(0.99), variant.Divergence.P99Kld, 1e-9);
            // The file is the one that quantize writes, and its errors are those that quantize measures.
            using ModelFile file = ModelFile.Open(SampleModel.At("F32"));
            QuantizationResult quantized = Quantizer.Write(file, QuantizationPlan.Create(file, Recipe.Parse(variant.Model.Name)), folder.At("again.gguf"));
            Assert.Equal(HashedFile.Of(folder.At("again.gguf")).Sha256, variant.Model.Sha256);
            foreach (TensorError error in quantized.Errors.OfType<TensorError>().Where(e => e.Tensor.Target.Dimensions.Count > 1))
                Assert.Equal(error.Relative, variant.Tensors.Single(t => t.Name == error.Tensor.Target.Name).RelativeError, 1e-6);
        }
    }

    [Fact]
    public void The_passage_is_the_text_and_its_expectations_are_probabilities()
    {
        using TemporaryFolder folder = new();
        ComparisonReport report = Comparer.Run(Options(folder, "Q8_0", "Q2_K"));
        Passage passage = report.Passage!;
        string text = passage.Lead + string.Concat(passage.Tokens.Select(t => t.Text));
        Assert.Contains(text.Trim(), Encoding.UTF8.GetString(s_text), StringComparison.Ordinal);
        Assert.All(passage.Variants.Select(v => v.Expected).Prepend(passage.Base), expectation =>
        {
            Assert.Equal(passage.Tokens.Count, expectation.Likeliest.Count);
            Assert.All(expectation.Likeliest, candidates =>
            {
                Assert.Equal(candidates.OrderByDescending(c => c.Probability), candidates);
                Assert.InRange(candidates.Sum(c => c.Probability), 0, 1.0001);
            });
            foreach ((int i, PassageToken token) in passage.Tokens.Index())
                foreach (Candidate candidate in expectation.Likeliest[i].Where(c => c.Piece == token.Piece)) Assert.Equal(expectation.Actual[i], candidate.Probability, 1e-6);
        });
        Assert.All(passage.Variants, v => Assert.Equal(passage.Tokens.Count, v.Divergence.Count));
    }

    [Fact]
    public void Interrupted_it_goes_on_and_ends_with_the_same_figures()
    {
        using TemporaryFolder whole = new(), interrupted = new();
        ComparisonReport expected = Comparer.Run(Options(whole, "Q8_0", "Q2_K"));
        // Stopped while files are made, while models read, and at the end.
        foreach (double fraction in (double[])[0.05, 0.3, 0.6, 0.9])
        {
            using CancellationTokenSource stop = new();
            Assert.ThrowsAny<OperationCanceledException>(() => Comparer.Run(Options(interrupted, "Q8_0", "Q2_K"), new Watch(p => { if (p.Fraction >= fraction) stop.Cancel(); }), stop.Token));
        }
        ComparisonReport report = Comparer.Run(Options(interrupted, "Q8_0", "Q2_K"));
        Assert.Equal(expected.Variants.Select(v => v.Divergence), report.Variants.Select(v => v.Divergence));
        Assert.Equal(expected.Passage!.Tokens, report.Passage!.Tokens);
    }

    [Fact]
    public void What_is_finished_is_not_measured_again_and_more_windows_add_to_it()
    {
        using TemporaryFolder folder = new();
        ComparisonOptions options = Options(folder, "Q2_K") with { Speed = new() { Prompts = [32], Generated = 4, Repetitions = 1 } };
        DateTimeOffset before = DateTimeOffset.UtcNow;
        ComparisonReport first = Comparer.Run(options with { Windows = 6 });
        Assert.InRange(first.Base.Speed!.Measured, before, first.Written);
        Assert.Equal((Nibble.Evaluation.Machine.Processor, 1, InstructionSets.Used), (first.Machine.Processor, first.Machine.Threads, first.Machine.Instructions));
        List<string> work = [];
        ComparisonReport again = Comparer.Run(options with { Windows = 6 }, new Watch(p => work.Add(p.Text)));
        Assert.DoesNotContain(work, text => text.Contains("quantizing", StringComparison.Ordinal) || text.Contains("window", StringComparison.Ordinal) || text.Contains("speed", StringComparison.Ordinal));
        Assert.Equal(first.Variants.Select(v => v.Model.Speed), again.Variants.Select(v => v.Model.Speed));

        work.Clear();
        ComparisonReport anew = Comparer.Run(options with { Windows = 6, MeasuresSpeedAnew = true });
        Assert.All(anew.Variants, v => Assert.True(v.Model.Speed!.Measured > again.Written));

        ComparisonReport more = Comparer.Run(options, new Watch(p => work.Add(p.Text)));
        Assert.DoesNotContain(work, text => text.Contains("window 6 of", StringComparison.Ordinal));
        Assert.Contains(work, text => text.Contains("window 7 of 12", StringComparison.Ordinal));
        using TemporaryFolder fresh = new();
        Assert.Equal(Comparer.Run(Options(fresh, "Q2_K")).Variants.Select(v => v.Divergence), more.Variants.Select(v => v.Divergence));
    }

    [Fact]
    public void Every_window_that_was_read_stays_when_it_is_stopped()
    {
        using TemporaryFolder folder = new();
        ComparisonOptions options = Options(folder, "Q8_0", "Q2_K");
        using CancellationTokenSource stop = new();
        Assert.ThrowsAny<OperationCanceledException>(() => Comparer.Run(options, new Watch(p => { if (p.Text.Contains("window 5 of 12", StringComparison.Ordinal)) stop.Cancel(); }), stop.Token));
        List<string> work = [];
        Comparer.Run(options, new Watch(p => work.Add(p.Text)));
        string[] windows = [.. work.Where(text => text.Contains(": window ", StringComparison.Ordinal)).Distinct()];
        Assert.Equal(Enumerable.Range(6, 7).Select(w => $"2 variants: window {w} of 12"), windows);
    }

    [Fact]
    public void A_file_that_was_being_made_goes_on_after_the_tensors_that_were_finished()
    {
        using TemporaryFolder folder = new(), whole = new();
        ComparisonOptions options = Options(folder, "Q4_K_M") with { Windows = 1 };
        List<string> tensors = [];
        using CancellationTokenSource stop = new();
        Assert.ThrowsAny<OperationCanceledException>(() => Comparer.Run(options, new Watch(p =>
        {
            if (!p.Text.Contains("quantizing blk", StringComparison.Ordinal)) return;
            tensors.Add(p.Text);
            if (tensors.Distinct().Count() == 9) stop.Cancel();
        }), stop.Token));
        Assert.False(File.Exists(folder.At("tiny-Q4_K_M.gguf")));
        HashSet<string> finished = [.. tensors.Distinct().SkipLast(1)];
        List<string> later = [];
        Comparer.Run(options, new Watch(p => { if (p.Text.Contains("quantizing blk", StringComparison.Ordinal)) later.Add(p.Text); }));
        Assert.NotEmpty(later);
        Assert.DoesNotContain(later, finished.Contains);
        Comparer.Run(Options(whole, "Q4_K_M") with { Windows = 1 });
        Assert.Equal(File.ReadAllBytes(whole.At("tiny-Q4_K_M.gguf")), File.ReadAllBytes(folder.At("tiny-Q4_K_M.gguf")));
        Assert.DoesNotContain(folder.Names, name => name.Contains("partial", StringComparison.Ordinal));
    }

    [Fact]
    public void Progress_never_goes_back_and_counts_what_is_kept()
    {
        using TemporaryFolder folder = new();
        ComparisonOptions options = Options(folder, "Q2_K") with { Speed = new() { Prompts = [32], Generated = 4, Repetitions = 1 } };
        List<ComparisonProgress> all = [];
        Comparer.Run(options, new Watch(all.Add));
        Assert.Equal(all.Select(p => p.Fraction).Order(), all.Select(p => p.Fraction));
        Assert.Equal(1, all[^1].Fraction, 1e-9);
        Assert.Equal(TimeSpan.Zero, all[^1].Left);
        Assert.All(all, p => Assert.False(p.Text.EndsWith(' ') || p.Text.EndsWith(','), p.Text));
        // Half of the windows more: what an earlier run read counts as done from the beginning of reading on.
        all.Clear();
        Comparer.Run(options with { Windows = 2 * Windows }, new Watch(all.Add));
        Assert.True(all.First(p => p.Text.Contains(": window ", StringComparison.Ordinal)).Fraction > 0.5);
    }

    [Fact]
    public void A_level_that_needs_an_importance_matrix_gets_the_one_that_is_named_or_one_that_is_collected()
    {
        using TemporaryFolder folder = new();
        byte[] calibration = s_text[..12_000];
        string text = folder.Write("calibration.txt", calibration), matrix = folder.At("imatrix.gguf"), expected = folder.At("expected.gguf");
        Nibble.Tests.Cli.NibbleProcess.Run("quantize", SampleModel.At("F32"), "IQ2_XS", "--calibrate", text, "--write-imatrix", matrix, "-o", expected).Success();

        using TemporaryFolder named = new(), collected = new();
        ComparisonOptions options = Options(named, "IQ2_XS") with { Windows = 2 };
        ComparisonReport report = Comparer.Run(options with { Importance = new() { MatrixPath = matrix } });
        Assert.Equal(HashedFile.Of(expected).Sha256, report.Variants[0].Model.Sha256);

        ComparisonOptions collecting = Options(collected, "IQ2_XS") with { Windows = 2, Importance = new() { Text = calibration, TextName = "calibration.txt" } };
        string other = Comparer.Run(collecting).Variants[0].Model.Sha256;
        AssertSameTensors(expected, collected.At("tiny-IQ2_XS.gguf"));
        List<string> work = [];
        Assert.Equal(other, Comparer.Run(collecting, new Watch(p => work.Add(p.Text))).Variants[0].Model.Sha256);
        Assert.DoesNotContain(work, line => line.Contains("quantizing", StringComparison.Ordinal) || line.Contains("importance", StringComparison.Ordinal));
        // Another matrix makes another file.
        work.Clear();
        Comparer.Run(collecting with { Importance = new() { MatrixPath = matrix, Include = ["ffn_down", "attn_v", "attn_q", "attn_k", "attn_output", "ffn_gate", "ffn_up"] } }, new Watch(p => work.Add(p.Text)));
        Assert.Contains(work, line => line.Contains("quantizing", StringComparison.Ordinal));

        Assert.Contains("less than one window", Refusal(collecting with { Importance = new() { Text = "Short."u8.ToArray(), TextName = "short.txt" } }), StringComparison.Ordinal);
        Assert.Contains("none.gguf", Refusal(options with { Importance = new() { MatrixPath = folder.At("none.gguf") } }), StringComparison.Ordinal);
    }

    [Fact]
    public void Cards_keep_what_was_measured_in_the_files_and_nothing_is_measured_again_for_it()
    {
        using TemporaryFolder folder = new();
        string other = folder.At("mine.gguf");
        File.Copy(SampleModel.At("Q3_K_M"), other);
        ComparisonOptions options = Options(folder, "Q2_K");
        options = options with { Variants = [.. options.Variants, new("mine", other, null)], SavesCards = true };
        ComparisonReport report = Comparer.Run(options);
        foreach (VariantReport v in report.Variants)
        {
            string path = folder.At(v.Model.File);
            Assert.Equal(HashedFile.Of(path).Sha256, v.Model.Sha256);
            Assert.True(File.Exists(path + ".md"));
            using ModelFile file = ModelFile.Open(path);
            Nibble.Evaluation.Cards.EvaluationRecord record = Nibble.Evaluation.Cards.EvaluationRecord.Read(file.Metadata)!;
            Assert.Equal(v.Divergence.MeanKld, record.Divergence!.Mean);
            Assert.Equal(v.Model.Perplexity, record.Perplexity);
            Assert.Equal((report.Base.Sha256, report.Text), (record.Base!.Sha256, record.Text));
        }
        // The files have changed, and what they were measured as is still known.
        foreach (bool again in (bool[])[true, false])
        {
            List<string> work = [];
            ComparisonReport second = Comparer.Run(options with { SavesCards = again }, new Watch(p => work.Add(p.Text)));
            Assert.DoesNotContain(work, text => text.Contains("quantizing", StringComparison.Ordinal) || text.Contains("window", StringComparison.Ordinal) || text.Contains("keeping", StringComparison.Ordinal));
            Assert.Equal(report.Variants.Select(v => v.Model.Sha256), second.Variants.Select(v => v.Model.Sha256));
        }
        // Fewer windows would leave the given file with less than it has.
        Assert.Contains("has a KL divergence", Refusal(options with { Windows = 1 }), StringComparison.Ordinal);
        Assert.Single(Comparer.Run(options with { Windows = 1, ReplacesFullerCards = true, Variants = [options.Variants[^1]] }).Variants);
        // Somebody's own page is not written over, and that is said before anything is done.
        File.WriteAllText(other + ".md", "precious");
        Assert.Contains("mine.gguf.md", Refusal(options), StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_that_another_command_kept_in_a_level_leaves_it_what_it_is()
    {
        using TemporaryFolder folder = new();
        ComparisonOptions options = Options(folder, "Q2_K");
        ComparisonReport first = Comparer.Run(options);
        string path = folder.At("tiny-Q2_K.gguf");
        Nibble.Evaluation.Cards.EvaluationStore.Save(path, new() { Text = first.Text with { Name = "other.txt", Sha256 = new string('a', 64) }, Perplexity = new(5, 0.1) });
        Assert.NotEqual(first.Variants[0].Model.Sha256, HashedFile.Of(path).Sha256);
        List<string> work = [];
        ComparisonReport second = Comparer.Run(options, new Watch(p => work.Add(p.Text)));
        Assert.DoesNotContain(work, text => text.Contains("quantizing", StringComparison.Ordinal) || text.Contains("window", StringComparison.Ordinal));
        Assert.Equal(first.Variants[0].Divergence, second.Variants[0].Divergence);
        Assert.Equal(HashedFile.Of(path).Sha256, second.Variants[0].Model.Sha256);
        // A weight that changed is another model.
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        Assert.Contains("was changed after it was made", Refusal(options), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_layout_of_I2_S_is_another_measurement()
    {
        using TemporaryFolder folder = new();
        string plain = Files.Gguf.TernaryModel.Plain(folder.At("plain.gguf")), unclear = Files.Gguf.TernaryModel.Save(folder.At("unclear.gguf"), plain, Nibble.Formats.I2_SLayout.Arm, isEven: _ => true);
        ComparisonOptions options = Options(folder) with { Base = plain, Windows = 2, Variants = [new("unclear", unclear, null)] };
        ComparisonReport right = Comparer.Run(options with { Run = new() { Threads = 1, I2SLayout = Nibble.Formats.I2_SLayout.Arm } });
        ComparisonReport wrong = Comparer.Run(options with { Run = new() { Threads = 1, I2SLayout = Nibble.Formats.I2_SLayout.X86 } });
        // Its norms are all ones, so it differs from the plain model either way; read in the wrong order its matrices do, too.
        Assert.All(right.Variants[0].Tensors, t => Assert.InRange(t.RelativeError, 0, 1e-6));
        Assert.Contains(wrong.Variants[0].Tensors, t => t.RelativeError > 0.5);
        Assert.NotEqual(right.Variants[0].Divergence.MeanKld, wrong.Variants[0].Divergence.MeanKld);
        Assert.Equal(right.Variants[0].Divergence, Comparer.Run(options with { Run = new() { Threads = 1, I2SLayout = Nibble.Formats.I2_SLayout.Arm } }).Variants[0].Divergence);
    }

    [Fact]
    public void A_damaged_measurement_is_measured_again()
    {
        using TemporaryFolder folder = new();
        ComparisonReport expected = Comparer.Run(Options(folder, "Q2_K"));
        foreach (string path in Directory.GetFiles(folder.At(Comparer.KeptFolder)).Where(p => !Path.GetFileName(p).StartsWith("made", StringComparison.Ordinal)))
            File.WriteAllBytes(path, File.ReadAllBytes(path)[..20]);
        ComparisonReport report = Comparer.Run(Options(folder, "Q2_K"));
        Assert.Equal(expected.Variants[0].Divergence, report.Variants[0].Divergence);
        Assert.Equal(expected.Variants[0].Tensors, report.Variants[0].Tensors);
    }

    [Fact]
    public void Tasks_are_compared_item_by_item()
    {
        using TemporaryFolder folder = new();
        string[] lines = [.. Enumerable.Range(0, 30).Select(i => $$"""{"query": "Once upon a time there was a little {{(i % 2 == 0 ? "girl" : "dog")}} number {{i}}.", "choices": ["She was happy", "Quantum flux", "It ran"], "gold": {{i % 3}}}""")];
        EvaluationTask task = TaskFile.Read(folder.Write("mine.jsonl", string.Join('\n', lines)));
        ComparisonReport report = Comparer.Run(Options(folder, "Q8_0", "Q2_K") with { Tasks = [task] });
        ComparedTask compared = Assert.Single(report.Tasks);
        Assert.Equal((30, "mine"), (compared.Items, compared.Name));
        foreach (VariantReport variant in report.Variants)
        {
            TaskDifference difference = Assert.Single(variant.Tasks);
            Assert.Equal(variant.Tasks[0].Score.Value - compared.Score.Value, difference.Difference, 1e-12);
            Assert.Equal((difference.Gained - difference.Lost) / 30.0, difference.Difference, 1e-12);
            Assert.InRange(difference.Difference, difference.Low, difference.High);
        }
    }

    [Fact]
    public void A_file_that_it_did_not_make_is_left_alone()
    {
        using TemporaryFolder folder = new();
        folder.Write("tiny-Q2_K.gguf", "precious");
        Assert.Contains("--files", Refusal(Options(folder, "Q2_K")), StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(folder.At("tiny-Q2_K.gguf")));
        Assert.Equal(["tiny-Q2_K.gguf"], folder.Names);
    }

    [Fact]
    public void What_cannot_be_compared_is_refused_and_nothing_is_left()
    {
        using TemporaryFolder folder = new();
        string report = folder.At("report");
        ComparisonOptions options = Options(folder, "Q2_K") with { Folder = report };
        Assert.Contains("less than one window", Refusal(options with { Text = "Too short."u8.ToArray() }), StringComparison.Ordinal);
        Assert.Contains("--types", Refusal(options with { Variants = [] }), StringComparison.Ordinal);
        EvaluationTask mine = new("mine", TaskDomain.Reasoning, [TaskMetric.Accuracy], [ChoiceItem.OfContinuations("1", "q", ["a", "b"], 0)]);
        Assert.Contains("two tasks called mine", Refusal(options with { Tasks = [mine, mine] }), StringComparison.Ordinal);
        Assert.Contains("Q2_K is there twice", Refusal(options with { Variants = [.. options.Variants, .. options.Variants] }), StringComparison.Ordinal);
        Assert.Contains("importance matrix", Refusal(options with { Variants = [new("IQ1_S", folder.At("x.gguf"), Recipe.Parse("IQ1_S"))] }), StringComparison.Ordinal);
        string other = folder.At("other.gguf");
        new Models.RandomModel("llama").Build().Save(other);
        Assert.Contains(other, Refusal(options with { Variants = [new("other", other, null)] }), StringComparison.Ordinal);
        Assert.False(Directory.Exists(report));
        Assert.Contains("is a file", Refusal(options with { Folder = folder.Write("taken", "x") }), StringComparison.Ordinal);
    }

    [Fact]
    public void Other_ways_of_running_are_measured_anew()
    {
        using TemporaryFolder folder = new();
        ComparisonOptions options = Options(folder, "Q2_K") with { Windows = 2 };
        Comparer.Run(options);
        List<string> work = [];
        Comparer.Run(options with { Run = new() { Threads = 1, Repack = false } }, new Watch(p => work.Add(p.Text)));
        Assert.Contains(work, text => text.Contains("window", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_of_another_version_is_made_anew_unless_it_was_changed()
    {
        using TemporaryFolder folder = new();
        ComparisonOptions options = Options(folder, "Q2_K") with { Windows = 2 };
        Comparer.Run(options);
        string record = Assert.Single(Directory.GetFiles(folder.At(Comparer.KeptFolder), "made-*"));
        string current = Nibble.Quantization.Recipes.RecipeFile.CurrentVersion, old = File.ReadAllText(record).Replace($"\"{current}\"", "\"0.0.1\"", StringComparison.Ordinal);
        File.WriteAllText(record, old);
        List<string> work = [];
        Comparer.Run(options, new Watch(p => work.Add(p.Text)));
        Assert.Contains(work, text => text.Contains("quantizing", StringComparison.Ordinal));
        File.WriteAllText(record, old);
        File.WriteAllText(folder.At("tiny-Q2_K.gguf"), "precious");
        Assert.Contains("was changed", Refusal(options), StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(folder.At("tiny-Q2_K.gguf")));
    }

    [Fact]
    public void A_short_context_refuses_windows_and_cuts_speed_tests()
    {
        using TemporaryFolder folder = new();
        string path = folder.At("short.gguf");
        using (ModelFile file = ModelFile.Open(SampleModel.At("F32")))
        {
            Metadata metadata = file.Metadata.Clone();
            metadata["llama.context_length"] = MetadataValue.Of(48u);
            using Nibble.Files.Gguf.GgufWriter writer = Nibble.Files.Gguf.GgufWriter.Create(path, metadata, file.Tensors);
            foreach (TensorInfo tensor in file.Tensors) writer.Write(file.Read(tensor).AsSpan<byte>());
            writer.Commit();
        }
        Assert.Contains($"{path}: was trained for 48 tokens", Refusal(Options(folder) with { Variants = [new("short", path, null)] }), StringComparison.Ordinal);
        using LanguageModel model = LanguageModel.Open(path, 1);
        SpeedFigures speed = SpeedStage.Measure(model, new() { Prompts = [128], Generated = 2, Repetitions = 1 }, new Progress<Nibble.Evaluation.SpeedProgress>(), CancellationToken.None);
        Assert.Equal(48, speed.Prompt.Tokens);
    }

    private static void AssertSameTensors(string expected, string path)
    {
        using ModelFile one = ModelFile.Open(expected), other = ModelFile.Open(path);
        Assert.Equal(one.Tensors.Select(t => t.Name), other.Tensors.Select(t => t.Name));
        foreach (TensorInfo tensor in one.Tensors) Assert.True(one.Read(tensor).AsSpan<byte>().SequenceEqual(other.Read(other.Find(tensor.Name)!).AsSpan<byte>()), tensor.Name);
    }

    private static string Refusal(ComparisonOptions options) => Assert.Throws<NibbleException>(() => Comparer.Run(options)).Message;

    private static ComparisonOptions Options(TemporaryFolder folder, params string[] levels) => new()
    {
        Base = SampleModel.At("F32"),
        Variants = [.. levels.Select(level => new RequestedVariant(level, folder.At($"tiny-{level}.gguf"), Recipe.Parse(level)))],
        Folder = folder.Path,
        Text = s_text,
        TextName = "sample.txt",
        ContextLength = Context,
        Windows = Windows,
        Run = new() { Threads = 1 },
        Speed = null,
    };

    private sealed class Watch(Action<ComparisonProgress> seen) : IProgress<ComparisonProgress>
    {
        public void Report(ComparisonProgress value) => seen(value);
    }
}
