namespace MLComponents.Transforms;

/// <summary>How texts become labelled words and entities.</summary>
/// <param name="transformer">Whose model is used.</param>
/// <param name="textIsWhole">Whether entities are placed in characters of a text, or in tokens that were given.</param>
internal sealed class TokenClassificationScoring(TokenClassificationTransformer transformer, bool textIsWhole)
    : IBatchScorer<TokenizedText, TokenizedRow, TaggedText>
{
    public int BatchSize => transformer.Settings.BatchSize;

    public int MaxTokensPerBatch => transformer.Settings.MaxTokensPerBatch;

    public void CheckAlive() => transformer.CheckAlive();

    public TokenizedRow Encode(TokenizedText input) => transformer.Scorer.Encode(input);

    public float[][] Forward(IReadOnlyList<int[]> sequences) => transformer.Forward(sequences);

    public TaggedText Combine(TokenizedRow row, ReadOnlySpan<float[]> outputs)
    {
        int count = row.Text.Words.Count, outputsPerToken = transformer.Scorer.OutputCount;
        var labels = new int[count];
        var probabilities = new float[count];
        for (int word = 0; word < count; word++)
        {
            (int window, int position) = row.ReadOff[word];
            Classification said = Classification.Multiclass(outputs[window].AsSpan(position * outputsPerToken, outputsPerToken));
            (labels[word], probabilities[word]) = (said.Label, said.Probability);
        }

        ReadOnlyMemory<char> text = row.Text.Text.AsMemory();
        IReadOnlyList<(int Start, int End)> words = row.Text.Words;
        Entity[] entities = [.. transformer.Spans.Find(labels).Select(span =>
        {
            int start = words[span.Start].Start, end = words[span.Start + span.Length - 1].End;
            float probability = 0;
            foreach (float of in probabilities.AsSpan(span.Start, span.Length)) probability += of;
            return textIsWhole
                ? new Entity(span.Type, text[start..end], start, end - start, probability / span.Length)
                : new Entity(span.Type, text[start..end], span.Start, span.Length, probability / span.Length);
        })];
        return new TaggedText([.. words.Select(word => text[word.Start..word.End])], labels, probabilities, entities);
    }

    public void TellTruncated(long rows, long truncated) => throw new InvalidOperationException("Texts are read in windows; none is cut.");
}
