namespace Nibble.Files.Gguf;

/// <summary>Where things are in a GGUF file.</summary>
internal static class GgufLayout
{
    public const string AlignmentKey = "general.alignment";
    public const int DefaultAlignment = 32;

    /// <summary>The first multiple of <paramref name="alignment"/>, a power of two, at or after <paramref name="position"/>.</summary>
    public static long Align(long position, int alignment) => checked(position + alignment - 1) & -(long)alignment;
}
