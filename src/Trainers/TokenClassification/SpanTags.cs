using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>Entities that are given by their places in a text, as tags of the text's words.</summary>
internal static class SpanTags
{
    /// <summary>The tags that entity types need: "O", and "B-" and "I-" of each type.</summary>
    public static string[] Names(IEnumerable<string> types) => [TagSpans.Outside, .. types.SelectMany(type => new[] { "B-" + type, "I-" + type })];

    /// <summary>Tags the words of a text; an entity that begins or ends within a word has all of it.</summary>
    /// <param name="text">The text and its words.</param>
    /// <param name="starts">Where the entities begin, in UTF-16 characters.</param>
    /// <param name="lengths">How long they are.</param>
    /// <param name="types">What they are.</param>
    /// <param name="row">The row, for messages.</param>
    /// <exception cref="InvalidOperationException">The vectors differ in length, or an entity is not in the text, has no word, or shares one with another.</exception>
    public static string[] Of(TokenizedText text, int[] starts, int[] lengths, string?[] types, long row)
    {
        if (starts.Length != types.Length || lengths.Length != types.Length)
            throw new InvalidOperationException($"Row {row} has {types.Length} entity labels, {starts.Length} starts and {lengths.Length} lengths; expected as many of each.");
        string[] tags = [.. text.Words.Select(_ => TagSpans.Outside)];
        for (int entity = 0; entity < types.Length; entity++)
        {
            (int start, int length) = (starts[entity], lengths[entity]);
            if (start < 0 || length < 1 || start > text.Text.Length - length)
                throw new InvalidOperationException($"Row {row} has an entity of {length} characters from {start}; the text has {text.Text.Length}.");
            if (string.IsNullOrEmpty(types[entity])) throw new InvalidOperationException($"Row {row} has an entity without a label, of {length} characters from {start}.");
            bool first = true;
            for (int word = 0; word < tags.Length; word++)
            {
                if (text.Words[word].End <= start || text.Words[word].Start >= start + length) continue;
                if (tags[word] != TagSpans.Outside)
                    throw new InvalidOperationException($"Row {row} has two entities at the word '{text.Text[text.Words[word].Start..text.Words[word].End]}' (character {text.Words[word].Start}); a word can belong to one. Drop one of them, or give the text as tokens with tags.");
                tags[word] = (first ? "B-" : "I-") + types[entity];
                first = false;
            }

            if (first) throw new InvalidOperationException($"Row {row} has an entity of nothing but white space, {length} characters from {start}.");
        }

        return tags;
    }
}
