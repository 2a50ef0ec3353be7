namespace Nibble.Files;

/// <summary>What a token stands for, with the numbers of GGUF's <c>tokenizer.ggml.token_type</c>.</summary>
public enum TokenType
{
    /// <summary>The file says nothing; taken as <see cref="Normal"/>.</summary>
    Undefined = 0,

    /// <summary>A piece of text.</summary>
    Normal = 1,

    /// <summary>Stands for text that the vocabulary cannot express.</summary>
    Unknown = 2,

    /// <summary>Steers the model, such as the beginning or the end of a text; never the outcome of plain text.</summary>
    Control = 3,

    /// <summary>Added beside the trained vocabulary; found in plain text before everything else.</summary>
    UserDefined = 4,

    /// <summary>Fills a hole in the numbering.</summary>
    Unused = 5,

    /// <summary>One byte, written <c>&lt;0x41&gt;</c>.</summary>
    Byte = 6,
}
