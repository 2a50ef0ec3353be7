using System.Diagnostics.CodeAnalysis;
using Nibble.Kernels;
using Nibble.Models;

namespace Nibble.Evaluation;

/// <summary>
/// Finds where values that are no finite numbers begin. A model is only looked at so closely once its scores were seen to be none,
/// by letting it read the same window again.
/// </summary>
internal static class FirstNonNumber
{
    /// <summary>Throws, with the layer and the matrix where they begin.</summary>
    /// <param name="session">The session whose scores are no numbers; it reads the window again.</param>
    /// <param name="window">What it read.</param>
    /// <param name="whose">Whose scores they are, such as <c>the model's</c>.</param>
    [DoesNotReturn]
    public static void Report(Session session, ReadOnlySpan<int> window, string whose)
    {
        Throw.BadInput($"{whose} scores are not a number: {Find(session, window)}; its weights are damaged, download or convert it again");
    }

    private static string Find(Session session, ReadOnlySpan<int> window)
    {
        Linear? sound = null, first = null; // the last matrix with sound input, and the first without
        session.Observer = (matrix, input) =>
        {
            if (first is not null) return;
            if (AreFinite(input)) sound = matrix;
            else first = matrix;
        };
        session.Truncate(0);
        session.Read(window, window.Length - 1);
        session.Score(0, 1);
        session.Observer = null;
        if (first is null) return $"they begin in {sound!.Name}, in all of its layers they are sound";
        if (sound is null) return $"they begin in the embedding (token_embd) or in the norm before {first.Name}";
        // What a matrix takes is the product before it, added to the stream and normed.
        return LayerOf(sound) == LayerOf(first)
            ? $"they begin in layer {LayerOf(sound)}, between {sound.Name} and {first.Name}"
            : $"they begin at the end of layer {LayerOf(sound)} ({sound.Name}) or in the norm before {first.Name}";
    }

    private static bool AreFinite(Activations input)
    {
        for (int token = 0; token < input.Tokens; token++)
            foreach (float value in input.Read(token))
                if (!float.IsFinite(value)) return false;
        return true;
    }

    /// <summary>The number in <c>blk.7.ffn_up.weight</c>.</summary>
    private static string LayerOf(Linear matrix) => matrix.Name.Split('.') is ["blk", var number, ..] ? number : matrix.Name;
}
