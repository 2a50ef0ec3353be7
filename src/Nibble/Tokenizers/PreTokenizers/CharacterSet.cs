namespace Nibble.Tokenizers.PreTokenizers;

/// <summary>A set of characters: whole Unicode kinds, and ranges of code points.</summary>
internal sealed class CharacterSet
{
    private readonly CharacterKind _kinds;
    private readonly (int First, int Last)[] _ranges;
    private readonly bool[] _ascii = new bool[128]; // most text, answered without a search

    /// <param name="kinds">Kinds that belong to the set.</param>
    /// <param name="ranges">Ranges that do so too, in ascending order.</param>
    public CharacterSet(CharacterKind kinds, params (int First, int Last)[] ranges)
    {
        _kinds = kinds;
        _ranges = ranges;
        for (int codePoint = 0; codePoint < _ascii.Length; codePoint++) _ascii[codePoint] = Search(codePoint);
    }

    public bool Contains(int codePoint) => codePoint < _ascii.Length ? _ascii[codePoint] : Search(codePoint);

    private bool Search(int codePoint)
    {
        if ((Characters.KindOf(codePoint) & _kinds) != 0) return true;
        int low = 0;
        for (int high = _ranges.Length - 1; low <= high;)
        {
            int middle = (low + high) / 2;
            if (codePoint < _ranges[middle].First) high = middle - 1;
            else if (codePoint > _ranges[middle].Last) low = middle + 1;
            else return true;
        }
        return false;
    }
}
