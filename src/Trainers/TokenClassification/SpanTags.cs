using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>Entities that are given by their places in a text, as tags of the text's words.</summary>
internal static class SpanTags
{
    /// <summary>The tags that entity types need: "O", and "B-" and "I-" of each type.</summary>
    public static string[] Names(IEnumerable<string> types) => [TagSpans.Outside, .. types.SelectMany(type => new[] { "B-" + type, "I-" + type })];

    /// <summary>Tags the words of a text; an entity that begins or ends within a word has all of it.</summary>
    /// <param name="text">The text and its words.</param>
    /// <param name="entities">The entities, in UTF-16 characters.</param>
    /// <param name="row">The row, for messages.</param>
    /// <exception cref="InvalidOperationException">An entity is not in the text, has no word, or shares one with another.</exception>
    public static string[] Of(TokenizedText text, IReadOnlyList<TagSpan> entities, long row)
    {
        string[] tags = [.. text.Words.Select(_ => TagSpans.Outside)];
        foreach ((string type, int start, int length) in entities)
        {
            if (start < 0 || length < 1 || start > text.Text.Length - length)
                throw new InvalidOperationException($"Row {row} has an entity of {length} characters from {start}; the text has {text.Text.Length}.");
            bool first = true;
            for (int word = 0; word < tags.Length; word++)
            {
                if (text.Words[word].End <= start || text.Words[word].Start >= start + length) continue;
                if (tags[word] != TagSpans.Outside)
                    throw new InvalidOperationException($"Row {row} has two entities at the word '{text.Text[text.Words[word].Start..text.Words[word].End]}' (character {text.Words[word].Start}); a word can belong to one. Drop one of them, or give the text as tokens with tags.");
                tags[word] = (first ? "B-" : "I-") + type;
                first = false;
            }

            if (first) throw new InvalidOperationException($"Row {row} has an entity of nothing but white space, {length} characters from {start}.");
        }

        return tags;
    }
}
