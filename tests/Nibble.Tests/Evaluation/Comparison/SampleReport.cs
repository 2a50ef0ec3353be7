using Nibble.Evaluation;
using Nibble.Evaluation.Comparison;
using Nibble.Evaluation.Tasks;

namespace Nibble.Tests.Evaluation.Comparison;

/// <summary>A made-up comparison with the sizes and losses that an 8-billion-parameter model has.</summary>
internal static class SampleReport
{
    private const int Layers = 32;

    private static readonly string[] s_kinds = ["attn_k", "attn_output", "attn_q", "attn_v", "ffn_down", "ffn_gate", "ffn_up"];

    private static readonly (string Name, double Gigabytes, double Ppl, double PplError, double Kld, double Changed, double TensorError, double Prompt, double Generated)[] s_levels =
    [
        ("Q8_0", 8.54, 1.0005, 0.0003, 0.0014, 0.021, 0.0055, 96, 8.1),
        ("Q6_K", 6.60, 1.0035, 0.0006, 0.0055, 0.040, 0.018, 88, 10.2),
        ("Q5_K_M", 5.73, 1.0091, 0.0010, 0.0108, 0.057, 0.037, 90, 11.6),
        ("Q4_K_M", 4.92, 1.0242, 0.0016, 0.0282, 0.088, 0.072, 104, 13.4),
        ("IQ4_XS", 4.45, 1.0366, 0.0019, 0.0363, 0.101, 0.083, 92, 14.2),
        ("Q3_K_M", 4.02, 1.0807, 0.0031, 0.0840, 0.152, 0.151, 81, 14.9),
        ("Q2_K", 3.18, 1.3867, 0.0092, 0.3320, 0.296, 0.302, 78, 17.5),
    ];

    private static readonly (string Name, TaskDomain Domain, string Metric, int Items, double Score)[] s_tasks =
    [
        ("hellaswag", TaskDomain.Language, "acc_norm", 400, 0.79),
        ("lambada", TaskDomain.Language, "acc", 400, 0.74),
        ("winogrande", TaskDomain.Reasoning, "acc", 400, 0.73),
        ("arc_challenge", TaskDomain.Reasoning, "acc_norm", 299, 0.53),
        ("piqa", TaskDomain.Reasoning, "acc_norm", 400, 0.81),
        ("gsm8k", TaskDomain.Mathematics, "exact_match", 250, 0.50),
        ("mgsm_de", TaskDomain.Multilingual, "exact_match", 250, 0.36),
    ];

    /// <param name="lead">Text in front of the passage.</param>
    /// <param name="words">The passage, token by token.</param>
    /// <param name="name">The name of the base.</param>
    public static ComparisonReport Create(string lead = "", string[]? words = null, string name = "Llama-3-8B")
    {
        Random random = new(1);
        words ??= Words;
        lead = lead.Length > 0 ? lead : "… Robert Boulter is an English film, television and theatre actor. He had a guest-starring role on the television series The Bill in 2000.";
        ComparedTask[] tasks = [.. s_tasks.Select(t => new ComparedTask(t.Name, t.Domain, t.Metric, t.Items, Estimate.Share((long)(t.Score * t.Items), t.Items)))];
        RecommendationBounds bounds = new();
        VariantReport[] variants = [.. s_levels.Select(level =>
        {
            TaskDifference[] differences = [.. s_tasks.Select(t => Difference(t.Name, t.Items, t.Score, level.Kld, random))];
            DivergenceFigures divergence = Divergence(level.Ppl, level.PplError, level.Kld, level.Changed);
            return new VariantReport
            {
                Model = Model(level.Name, $"{name}-{level.Name}.gguf", level.Gigabytes, 6.233 * level.Ppl, level.Prompt, level.Generated),
                Divergence = divergence,
                Tasks = differences,
                Tensors = Tensors(level.Name, level.TensorError, random),
                IsOnFront = true,
                Verdict = RecommendationRule.Judge(divergence, differences, bounds),
            };
        })];
        ComparedModel original = Model(name, $"{name}-F16.gguf", 16.07, 6.233, 71, 4.4);
        return new()
        {
            Version = "0.1.0",
            Written = new(2026, 11, 27, 10, 30, 0, TimeSpan.Zero),
            Machine = new("AMD Ryzen 9 7950X 16-Core Processor", 16, "avx512"),
            Text = new("wiki.test.raw", new string('5', 64), 512, null, 564, 143_820, "f16"),
            Base = original,
            Tasks = tasks,
            Variants = variants,
            Passage = Passage(lead, words, variants, random),
            Recommendation = RecommendationRule.Recommend(original, variants, 564, bounds),
        };
    }

    public static string[] Words { get; } =
    [
        .. " This| was| followed| by| a| starring| role| in| the| play| Her|ons| written| by| Simon| Stephens|,| which| was| performed| in| 2001| at| the| Royal| Court| Theatre|.| He| had| a| guest| role| in| the| television| series| Judge| John| De|ed| in| 2002|.| In| 2004| Boul|ter| landed| a| role| as| \"|C|raig|\"| in| the| episode| \"|Ted|dy|'s| Story|\"| of| the| television| series| The| Long| Firm|;| he| starred| alongside| actors| Mark| Strong| and| Derek| Jacobi|.| He| was| cast| in| the| 2005| theatre| productions| of| the| Philip| Ridley| play| Mercury| Fur|,| which| was| performed| at| the| Drum| Theatre| in| Plymouth| and| the| Men|ier| Chocolate| Factory| in| London|.".Split('|'),
    ];

    public static DivergenceFigures Divergence(double ratio, double ratioError, double kld, double changed = 0.05, double kldError = -1) => new()
    {
        PerplexityRatio = new(ratio, ratioError),
        MeanKld = new(kld, kldError < 0 ? kld * 0.012 : kldError),
        MedianKld = kld * 0.35,
        P90Kld = kld * 2.3,
        P99Kld = kld * 8.5,
        P999Kld = kld * 24,
        MaxKld = kld * 90,
        TopChanged = Estimate.Share((long)(changed * 143_820), 143_820),
        RmsProbabilityChange = Math.Sqrt(kld) * 0.13,
    };

    private static ComparedModel Model(string name, string file, double gigabytes, double perplexity, double prompt, double generated) =>
        new(name, file, new string((char)('a' + (int)gigabytes % 6), 64), (long)(gigabytes * 1e9), 8 * gigabytes / 8.03, new(perplexity, 0.0192),
            new(new(512, prompt, prompt * 0.97, prompt * 1.02), new(64, generated, generated * 0.99, generated * 1.01), (long)(gigabytes * 1e9), (long)(gigabytes * 1e9) + 620_000_000, 4096) { Measured = new(2026, 11, 27, 10, 12, 0, TimeSpan.Zero) });

    private static TaskDifference Difference(string task, int items, double score, double kld, Random random)
    {
        int flips = (int)(items * Math.Sqrt(kld) * 0.22) + 1, lost = (int)(flips * (0.5 + 0.22 * Math.Sqrt(kld) + 0.2 * (random.NextDouble() - 0.5))), gained = flips - lost;
        double difference = (double)(gained - lost) / items, half = Estimate.Deviations * Math.Sqrt((double)flips / items - difference * difference) / Math.Sqrt(items);
        double z = Math.Abs(gained - lost) / Math.Sqrt(flips);
        return new(task, Estimate.Share((long)(score * items) + gained - lost, items), difference, difference - half, difference + half, lost, gained, Math.Min(1, 2 * Math.Exp(-0.72 * z * z - 0.6 * z)));
    }

    private static TensorFigure[] Tensors(string level, double error, Random random) =>
    [
        new("token_embd.weight", "Q4_K", error * 1.02), new("output.weight", "Q6_K", Math.Min(error, 0.019)),
        .. Enumerable.Range(0, Layers).SelectMany(layer => s_kinds.Select(kind => new TensorFigure($"blk.{layer}.{kind}.weight", level.Split('_')[0] + "_K",
            error * (0.93 + 0.14 * random.NextDouble()) * (kind is "attn_v" or "ffn_down" && (layer < 4 || layer > 27 || layer % 3 == 2) ? 0.3 : 1)))),
    ];

    private static Passage Passage(string lead, string[] words, VariantReport[] variants, Random random)
    {
        string[] others = [" the", " a", " an", " his", " role", " in", "ing", " of", "\n", " and", "<b>", "é", "日本"];
        string[] pieces = [.. words.Concat(others).Distinct()];
        PassageToken[] tokens = [.. words.Select(w => new PassageToken(w, Array.IndexOf(pieces, w)))];
        (int[] Candidates, float[] Probabilities)[] truth = [.. tokens.Select(t =>
        {
            int[] candidates = [.. random.GetItems(Enumerable.Range(0, pieces.Length).ToArray(), 12).Distinct().Where(p => p != t.Piece).Take(4)];
            if (random.NextDouble() < 0.6) candidates = [t.Piece, .. candidates];
            else if (random.NextDouble() < 0.6) candidates = [candidates[0], t.Piece, .. candidates[1..]];
            double rest = 1;
            float[] probabilities = [.. candidates.Select(_ => { double share = rest * (0.25 + 0.5 * random.NextDouble()); rest -= share; return (float)share; })];
            return (candidates, probabilities.OrderDescending().ToArray());
        })];
        return new(283, lead, pieces, tokens, Expected(tokens, truth), [.. variants.Select(v =>
        {
            (int[] Candidates, float[] Probabilities)[] disturbed = [.. truth.Select(t =>
            {
                double noise = Math.Sqrt(v.Divergence.MeanKld.Value) * 1.3;
                double[] odds = [.. t.Probabilities.Select(p => p * Math.Exp(noise * (2 * random.NextDouble() - 1) * 2))];
                double scale = t.Probabilities.Sum() / odds.Sum();
                (int Candidate, float Probability)[] sorted = [.. t.Candidates.Zip(odds.Select(o => (float)(o * scale))).OrderByDescending(p => p.Second)];
                return (sorted.Select(s => s.Candidate).ToArray(), sorted.Select(s => s.Probability).ToArray());
            })];
            return new PassageVariant(v.Model.Name, [.. tokens.Select(_ => (float)(v.Divergence.MeanKld.Value * Math.Exp(2.6 * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.9))))], Expected(tokens, disturbed));
        })]);
    }

    private static Expectation Expected(PassageToken[] tokens, (int[] Candidates, float[] Probabilities)[] at) => new(
        [.. tokens.Select((t, i) => Array.IndexOf(at[i].Candidates, t.Piece) is >= 0 and int place ? at[i].Probabilities[place] : 0.004f)],
        [.. at.Select(a => (IReadOnlyList<Candidate>)[.. a.Candidates.Zip(a.Probabilities, (piece, p) => new Candidate(piece, p)).Take(5)])]);
}
