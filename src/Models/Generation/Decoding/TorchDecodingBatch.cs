using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// Rows in a key and value cache. Rows of different lengths begin at different columns: what lies before a row's first token is hidden by a mask, and its positions
/// count from there.
/// </summary>
internal sealed class TorchDecodingBatch : IDecodingBatch
{
    private readonly CausalLanguageModel _model;
    private readonly DynamicCache _cache;
    private readonly bool _recomputes;
    private List<Row> _rows;

    /// <summary>Rows that have read nothing.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="canForget">Whether sliding layers hold all tokens.</param>
    /// <param name="recomputes">Whether everything is computed again with every token, as without a cache.</param>
    public TorchDecodingBatch(CausalLanguageModel model, int rows, bool canForget, bool recomputes = false)
        : this(model, canForget ? new DynamicCache() : new DynamicCache(model.Config), recomputes, [.. Enumerable.Range(0, rows).Select(static _ => new Row(0, new RowTokens([])))])
    {
    }

    private TorchDecodingBatch(CausalLanguageModel model, DynamicCache cache, bool recomputes, List<Row> rows) =>
        (_model, _cache, _recomputes, _rows) = (model, cache, recomputes, rows);

    /// <inheritdoc/>
    public int RowCount => _rows.Count;

    /// <summary>The keys and values. The last columns are a row's.</summary>
    public KeyValueCache Cache => _cache;

    private int VocabularySize => _model.Config.VocabularySize;

    /// <inheritdoc/>
    public ReadOnlySpan<int> TokensOf(int row) => _rows[row].Tokens.Span;

    /// <inheritdoc/>
    public bool ReadsUnevenly => false;

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> tokens, ReadOnlySpan<int> counts, int scored, Span<float> logits, Span<float> hidden = default)
    {
        DecodingChecks.Check(tokens, counts, scored, RowCount, VocabularySize, evenly: _cache.Length > 0);
        int from = 0;
        for (int row = 0; row < RowCount; row++)
        {
            _rows[row].Tokens.Add(tokens.Slice(from, counts[row]));
            from += counts[row];
        }

        if (_recomputes || MustBeginAnew()) _cache.Reset();
        int columns = Longest, past = _cache.Length;
        int added = columns - past;
        var ids = new long[RowCount * added];
        for (int row = 0; row < RowCount; row++)
        {
            ReadOnlySpan<int> read = TokensOf(row);
            Span<long> line = ids.AsSpan(row * added, added);
            int first = read.Length - added; // the token in the first new column, if there is one
            for (int column = 0; column < added; column++) line[column] = first + column < 0 ? FillingId : read[first + column];
        }

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Forward(new DecoderInput { InputIds = tensor(ids, [RowCount, added], device: Device) }, columns, added, scored, logits, hidden);
    }

    /// <summary>Reads embeddings in place of tokens, as the first of every row.</summary>
    /// <param name="embeddings"><c>[rows, seq, hidden]</c>.</param>
    /// <param name="counts">How many of them, the last ones of each row, are no padding: <c>[rows]</c>.</param>
    /// <param name="logits">Takes the logits of what follows, <c>[rows, vocabulary]</c>.</param>
    public void ReadEmbeddings(Tensor embeddings, ReadOnlySpan<int> counts, Span<float> logits)
    {
        for (int row = 0; row < RowCount; row++) _rows[row] = new Row(counts[row], new RowTokens([]));
        int columns = (int)embeddings.shape[1];
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Forward(new DecoderInput { InputsEmbeds = embeddings }, columns, columns, 1, logits, default);
    }

    /// <inheritdoc/>
    public void Select(ReadOnlySpan<int> rows)
    {
        using var scope = NewDisposeScope();
        long[] indices = new long[rows.Length];
        List<Row> selected = [];
        for (int index = 0; index < rows.Length; index++)
        {
            indices[index] = rows[index];
            selected.Add(_rows[rows[index]].Copy());
        }

        if (rows.Length == 0) _cache.Reset();
        else if (rows.Length == RowCount) _cache.Reorder(tensor(indices));
        else _cache.Select(tensor(indices));
        _rows = selected;
        Trim();
    }

    /// <inheritdoc/>
    public void Forget(int count)
    {
        if (count == 0) return;
        _cache.Crop(-count);
        foreach (Row row in _rows) row.Tokens.RemoveLast(count);
    }

    /// <inheritdoc/>
    public void Join(IDecodingBatch other)
    {
        var joined = (TorchDecodingBatch)other;
        _cache.Join(joined._cache);
        _rows.AddRange(joined._rows);
        joined._rows = [];
    }

    /// <inheritdoc/>
    public IDecodingBatch Clone() => new TorchDecodingBatch(_model, _cache.Clone(), _recomputes, [.. _rows.Select(static row => row.Copy())]);

    /// <inheritdoc/>
    public void Dispose() => _cache.Dispose();

    private int Longest => _rows.Count == 0 ? 0 : _rows.Max(static row => row.Length);

    private long FillingId => _model.Config.PadTokenId ?? 0;

    private Device Device => _model.Decoder.EmbeddingWeight.device;

    /// <summary>Whether rotary frequencies change with the new tokens, so that what is cached must be computed once more.</summary>
    private bool MustBeginAnew() =>
        _cache.Length > 0 && _model.Config.Rope is LongRope rope && _rows.Max(static row => row.Tokens.Count) > rope.OriginalMaxPositions && _cache.Length <= rope.OriginalMaxPositions;

    private void Forward(DecoderInput input, int columns, int added, int scored, Span<float> logits, Span<float> hidden)
    {
        int past = columns - added;
        input = input with { Cache = _cache };
        if (_rows.Any(row => row.Length < columns))
        {
            var mask = new bool[RowCount * columns];
            var positions = new long[RowCount * added];
            for (int row = 0; row < RowCount; row++)
            {
                int padding = columns - _rows[row].Length;
                mask.AsSpan((row * columns) + padding, columns - padding).Fill(true);
                for (int column = 0; column < added; column++) positions[(row * added) + column] = Math.Max(0, past + column - padding);
            }

            input = input with { AttentionMask = tensor(mask, [RowCount, columns], device: Device), PositionIds = tensor(positions, [RowCount, added], device: Device) };
        }

        // Without logits wanted the last position gets some all the same, and nobody reads them.
        using CausalLanguageModelOutput output = _model.Forward(input, Math.Max(1, scored));
        if (scored > 0) CopyTo(output.Logits, logits);
        if (!hidden.IsEmpty) CopyTo(output.Decoder.LastHiddenState.narrow(1, added - scored, scored), hidden);
    }

    private static void CopyTo(Tensor source, Span<float> target)
    {
        using var scope = NewDisposeScope();
        Tensor values = source.to(ScalarType.Float32).cpu().contiguous();
        int count = (int)values.numel();
        unsafe
        {
            new ReadOnlySpan<float>((void*)TensorSpans.AddressOf(values), count).CopyTo(target);
        }
    }

    /// <summary>Forgets columns that are padding in every row.</summary>
    private void Trim()
    {
        if (_cache.Length > Longest) _cache.ForgetFirst(_cache.Length - Longest);
    }

    /// <summary>What a row has read.</summary>
    /// <param name="Embedded">The number of embeddings, before the tokens.</param>
    /// <param name="Tokens">The tokens.</param>
    private sealed record Row(int Embedded, RowTokens Tokens)
    {
        public int Length => Embedded + Tokens.Count;

        public Row Copy() => this with { Tokens = Tokens.Clone() };
    }
}
