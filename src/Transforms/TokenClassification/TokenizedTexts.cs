using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>Reads the texts of a column whose words are to be labelled.</summary>
internal static class TokenizedTexts
{
    /// <summary>What reads the text of the row that <paramref name="row"/> stands on.</summary>
    /// <param name="row">The rows.</param>
    /// <param name="text">A column of texts, or of vectors of texts.</param>
    public static Func<TokenizedText> Reader(DataViewRow row, DataViewSchema.Column text)
    {
        if (text.Type is TextDataViewType)
        {
            ValueGetter<ReadOnlyMemory<char>> whole = row.GetGetter<ReadOnlyMemory<char>>(text);
            return () =>
            {
                ReadOnlyMemory<char> value = default;
                whole(ref value);
                return TokenizedText.Of(value);
            };
        }

        ValueGetter<VBuffer<ReadOnlyMemory<char>>> words = row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(text);
        VBuffer<ReadOnlyMemory<char>> buffer = default;
        return () =>
        {
            words(ref buffer);
            return TokenizedText.Of(buffer.DenseValues().ToArray());
        };
    }
}
