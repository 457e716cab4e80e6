namespace MLComponents.Tokenization;

/// <summary>A model that remembers the ids of words.</summary>
internal abstract class CachingModel(Vocabulary vocabulary) : TokenModel(vocabulary)
{
    private readonly ShortWordCache _shortWords = new();
    private readonly WordCache _longerWords = new(); // and those with many ids

    /// <summary>Appends the ids of a word, from memory where it can.</summary>
    protected void EncodeCached(ReadOnlySpan<char> word, IdBuffer ids)
    {
        if (word.Length > ShortWordCache.LongestWord)
        {
            EncodeLonger(word, ids);
            return;
        }

        if (_shortWords.TryAppend(word, out ShortWordCache.Key key, ids)) return;
        int before = ids.Count;
        EncodeLonger(word, ids);
        _shortWords.Add(key, ids.Ids[before..]);
    }

    /// <summary>Appends the ids of a word that is not remembered.</summary>
    protected abstract void EncodeWord(ReadOnlySpan<char> word, IdBuffer ids);

    private void EncodeLonger(ReadOnlySpan<char> word, IdBuffer ids)
    {
        if (word.Length > WordCache.LongestWord)
        {
            EncodeWord(word, ids);
            return;
        }

        int hash = WordCache.Hash(word);
        if (_longerWords.TryGet(word, hash, out ReadOnlySpan<int> known))
        {
            ids.Add(known);
            return;
        }

        int before = ids.Count;
        EncodeWord(word, ids);
        _longerWords.Add(word, hash, ids.Ids[before..]);
    }
}
