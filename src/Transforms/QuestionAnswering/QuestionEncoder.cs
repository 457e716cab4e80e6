using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>Questions and contexts to windows of token ids: the question first, as the tokenizer joins a pair, so that a causal model has read it when it reads the context.</summary>
/// <remarks>Safe to use from several threads.</remarks>
internal sealed class QuestionEncoder(PretrainedTokenizer tokenizer, int maxLength, int maxQuestionLength, int stride)
{
    /// <summary>Most tokens of a question.</summary>
    public int MaxQuestionLength => maxQuestionLength;

    /// <summary>Encodes a row.</summary>
    public QuestionRow Encode(QuestionAndContext row)
    {
        (string question, bool truncated) = Shortened(row.Question.ToString());
        Encoding encoding = tokenizer.Encode((question, row.Context.ToString()), options: null);
        int start = 0, count = 0;
        for (int i = 0; i < encoding.Ids.Count; i++)
        {
            if (encoding.SequenceIds[i] != 1) continue;
            if (count++ == 0) start = i;
        }

        if (count == 0) return new(row.Context, [], [], truncated);
        var places = new (int Start, int End)[count];
        for (int token = 0; token < count; token++) places[token] = (encoding.Offsets[start + token].Start.Value, encoding.Offsets[start + token].End.Value);
        return new(row.Context, TokenWindow.Cut([.. encoding.Ids], start, count, maxLength, stride), places, truncated);
    }

    private (string Question, bool Truncated) Shortened(string question)
    {
        Encoding encoding = tokenizer.Encode(question, addSpecialTokens: false);
        return encoding.Ids.Count <= maxQuestionLength ? (question, false) : (question[..encoding.Offsets[maxQuestionLength - 1].End], true);
    }
}
