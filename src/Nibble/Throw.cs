using System.Diagnostics.CodeAnalysis;

namespace Nibble;

/// <summary>
/// An error whose message is meant for the user: it names the file or value at fault and what to do about it.
/// The command line prints the message alone and exits with code 1, or another that a derived class names.
/// </summary>
public class NibbleException : Exception
{
    public NibbleException(string message) : base(message) { }
    public NibbleException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>Throwing in methods of its own keeps the throwing code out of callers that are inlined.</summary>
internal static class Throw
{
    /// <summary>A file that cannot be used as it is: <paramref name="path"/>, then what is wrong and the remedy.</summary>
    [DoesNotReturn]
    public static void BadFile(string path, string problem) => throw new NibbleException($"{path}: {problem}");

    /// <inheritdoc cref="BadFile(string, string)"/>
    [DoesNotReturn]
    public static T BadFile<T>(string path, string problem) => throw new NibbleException($"{path}: {problem}");

    /// <summary>An argument or option that cannot be used as it is.</summary>
    [DoesNotReturn]
    public static void BadInput(string problem) => throw new NibbleException(problem);

    /// <inheritdoc cref="BadInput(string)"/>
    [DoesNotReturn]
    public static T BadInput<T>(string problem) => throw new NibbleException(problem);
}
