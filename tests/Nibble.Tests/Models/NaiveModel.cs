namespace Nibble.Tests.Models;

/// <summary>
/// A decoder-only transformer written down from its definition in double precision, one number after the other and without a cache:
/// what the library's models are compared with.
/// </summary>
internal sealed class NaiveModel(RandomModel shape, IReadOnlyDictionary<string, float[]> tensors)
{
    /// <summary>Whether RoPE turns values 2i and 2i + 1 of a head, rather than i and i + half.</summary>
    public bool TurnsPairs { get; init; }

    /// <summary>Radians per position of each pair; by default those of the model without scaling.</summary>
    public double[]? Frequencies { get; init; }

    /// <summary>Factor on turned values.</summary>
    public double Magnitude { get; init; } = 1;

    /// <summary>Whether queries, keys and values are used as they are instead of in half precision.</summary>
    public bool IsCacheExact { get; init; }

    /// <summary>The scores of the last token's successor, of a model with one layer: the only token whose attention is then needed.</summary>
    public double[] LastLogits(int[] tokens)
    {
        Assert.Equal(1, shape.Layers);
        return Logits(tokens, firstAttending: tokens.Length - 1)[^1];
    }

    /// <summary>The scores of every token's successor.</summary>
    public double[][] Logits(int[] tokens) => Logits(tokens, firstAttending: 0);

    private double[][] Logits(int[] tokens, int firstAttending)
    {
        double[][] stream = [.. tokens.Select(t => Row("token_embd.weight", t))];
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            string blk = $"blk.{layer}.";
            double[][] normed = [.. stream.Select(x => Norm(x, blk + "attn_norm.weight"))];
            double[][] attended = Attend(normed, blk, firstAttending);
            for (int t = firstAttending; t < tokens.Length; t++)
            {
                stream[t] = Sum(stream[t], attended[t]);
                double[] x = Norm(stream[t], blk + "ffn_norm.weight");
                double[] gate = Product(blk + "ffn_gate", x), up = Product(blk + "ffn_up", x);
                stream[t] = Sum(stream[t], Product(blk + "ffn_down", [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)]));
            }
        }
        string head = shape.IsTied ? "token_embd" : "output";
        return [.. stream.Skip(firstAttending).Select(x => Product(head, Norm(x, "output_norm.weight")))];
    }

    private double[][] Attend(double[][] inputs, string blk, int firstAttending)
    {
        int size = shape.HeadSize, shared = shape.Heads / shape.KeyHeads;
        double[][] queries = [.. inputs.Select((x, t) => Turned(Product(blk + "attn_q", x), t, blk + "attn_q_norm.weight"))];
        double[][] keys = [.. inputs.Select((x, t) => Turned(Product(blk + "attn_k", x), t, blk + "attn_k_norm.weight"))];
        double[][] values = [.. inputs.Select(x => Rounded(Product(blk + "attn_v", x)))];
        double[][] result = new double[inputs.Length][];
        for (int t = firstAttending; t < inputs.Length; t++)
        {
            double[] mixed = new double[shape.Heads * size];
            for (int head = 0; head < shape.Heads; head++)
            {
                int first = shape.Window is { } window ? Math.Max(0, t + 1 - window) : 0, keyHead = head / shared;
                double[] weights = new double[t + 1 - first];
                for (int s = first; s <= t; s++)
                {
                    double score = 0;
                    for (int i = 0; i < size; i++) score += queries[t][head * size + i] * keys[s][keyHead * size + i];
                    weights[s - first] = Math.Exp(score / Math.Sqrt(size));
                }
                double total = weights.Sum();
                for (int s = first; s <= t; s++)
                    for (int i = 0; i < size; i++) mixed[head * size + i] += weights[s - first] / total * values[s][keyHead * size + i];
            }
            result[t] = Product(blk + "attn_output", mixed);
        }
        return result;
    }

    /// <summary>Heads after their norm, where the model has one, and RoPE: each pair as a complex number times e^(i · angle).</summary>
    private double[] Turned(double[] heads, int position, string norm)
    {
        int size = shape.HeadSize, pairs = shape.Turned / 2;
        double[] result = [.. heads];
        for (int start = 0; start < heads.Length; start += size)
        {
            double[] head = heads[start..(start + size)];
            if (tensors.ContainsKey(norm)) head = Norm(head, norm);
            head.CopyTo(result, start);
            for (int i = 0; i < pairs; i++)
            {
                double frequency = Frequencies?[i] ?? Math.Exp(-Math.Log(shape.RopeBase) * 2 * i / shape.Turned) / (shape.FrequencyFactors?[i] ?? 1);
                (int a, int b) = TurnsPairs ? (2 * i, 2 * i + 1) : (i, i + pairs);
                System.Numerics.Complex turned = new System.Numerics.Complex(head[a], head[b]) * System.Numerics.Complex.FromPolarCoordinates(Magnitude, position * frequency);
                (result[start + a], result[start + b]) = (turned.Real, turned.Imaginary);
            }
        }
        return Rounded(result);
    }

    /// <summary>Queries, keys and values are used in half precision, unless told otherwise.</summary>
    private double[] Rounded(double[] values) => IsCacheExact ? values : [.. values.Select(v => (double)(Half)v)];

    private double[] Norm(double[] x, string name)
    {
        double root = Math.Sqrt(x.Sum(v => v * v) / x.Length + 1e-6);
        return [.. x.Select((v, i) => v / root * tensors[name][i])];
    }

    private double[] Product(string name, double[] x)
    {
        float[] weight = tensors[name + ".weight"];
        double[] y = new double[weight.Length / x.Length];
        for (int row = 0; row < y.Length; row++)
        {
            for (int c = 0; c < x.Length; c++) y[row] += (double)weight[row * x.Length + c] * x[c];
            if (tensors.TryGetValue(name + ".bias", out float[]? bias)) y[row] += bias[row];
        }
        return y;
    }

    private double[] Row(string name, int row) => [.. tensors[name].Skip(row * shape.Width).Take(shape.Width).Select(v => (double)v)];

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
}
