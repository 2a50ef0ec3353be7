
namespace Nibble.Files.HuggingFace;

/// <summary>
/// <c>tokenizer.model</c> as SentencePiece writes it, a protocol buffer; fields are those of
/// https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
/// </summary>
internal static class SentencePieceModel
{
    private const int Unigram = 1;
    private const int Bpe = 2;

    /// <summary>Reads the pieces, and which of them have a part to play.</summary>
    public static (TokenList Tokens, SpecialIds Ids, bool PrefixesSpace) Read(string path, byte[] bytes)
    {
        TokenList tokens = new(path);
        SpecialIds ids = new();
        bool prefixesSpace = true;
        int algorithm = Unigram; // what a file means that says nothing
        ids.Set("unk", 0);
        ids.Set("bos", 1);
        ids.Set("eos", 2);
        ids.Set("pad", null);
        ProtobufReader model = new(bytes, path);
        while (model.Next())
        {
            if (model.Field == 1) ReadPiece(model.Message(), tokens);
            if (model.Field == 2) algorithm = ReadTrainer(model.Message(), ids);
            if (model.Field == 3) prefixesSpace = ReadNormalizer(model.Message());
        }
        if (tokens.Count == 0) Throw.BadFile(path, "is no SentencePiece model, or a damaged one; download it again");
        if (algorithm != Bpe) Throw.BadFile(path, "is a SentencePiece model of another kind than BPE, which is not supported");
        return (tokens, ids, prefixesSpace);
    }

    private static void ReadPiece(ProtobufReader piece, TokenList tokens)
    {
        string text = "";
        float score = 0;
        TokenType type = TokenType.Normal;
        while (piece.Next())
        {
            if (piece.Field == 1) text = piece.Text();
            if (piece.Field == 2) score = piece.Float();
            if (piece.Field == 3) type = (TokenType)piece.Integer(); // the same numbers
        }
        if (type is < TokenType.Normal or > TokenType.Byte) type = TokenType.Normal;
        if (type == TokenType.UserDefined) text = text.Replace('▁', ' ');
        tokens.Set(tokens.Count, text, type, score);
    }

    private static int ReadTrainer(ProtobufReader trainer, SpecialIds ids)
    {
        int algorithm = Unigram;
        while (trainer.Next())
        {
            switch (trainer.Field)
            {
                case 3: algorithm = trainer.Integer(); break;
                case 40: ids.Set("unk", trainer.Integer()); break;
                case 41: ids.Set("bos", trainer.Integer()); break;
                case 42: ids.Set("eos", trainer.Integer()); break;
                case 43: ids.Set("pad", trainer.Integer()); break;
            }
        }
        return algorithm;
    }

    private static bool ReadNormalizer(ProtobufReader normalizer)
    {
        bool prefixesSpace = true;
        while (normalizer.Next())
            if (normalizer.Field == 3) prefixesSpace = normalizer.Bool();
        return prefixesSpace;
    }
}
