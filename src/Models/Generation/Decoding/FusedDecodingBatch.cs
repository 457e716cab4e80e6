using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Rows whose keys and values lie in pages, read by a <see cref="FusedStep"/>.</summary>
internal sealed unsafe class FusedDecodingBatch : IDecodingBatch
{
    private readonly FusedDecodingModel _model;
    private readonly FusedWeights _weights;
    private readonly CacheLayout _layout;
    private readonly bool _canForget;
    private readonly FusedPart _part = new();
    private CachedRow[] _rows;
    private int? _rotaryLength;

    /// <summary>Rows that have read nothing.</summary>
    public FusedDecodingBatch(FusedDecodingModel model, FusedWeights weights, int rows, bool canForget)
        : this(model, weights, new CacheLayout(weights.Config, weights.DType == ScalarType.Float32 ? sizeof(float) : sizeof(ushort)), canForget, [])
    {
        _rows = new CachedRow[rows];
        for (int row = 0; row < rows; row++) _rows[row] = new CachedRow(_layout);
    }

    private FusedDecodingBatch(FusedDecodingModel model, FusedWeights weights, CacheLayout layout, bool canForget, CachedRow[] rows) =>
        (_model, _weights, _layout, _canForget, _rows) = (model, weights, layout, canForget, rows);

    /// <inheritdoc/>
    public int RowCount => _rows.Length;

    private int Longest
    {
        get
        {
            int longest = 0;
            foreach (CachedRow row in _rows) longest = Math.Max(longest, row.Tokens.Count);
            return longest;
        }
    }

    /// <inheritdoc/>
    public ReadOnlySpan<int> TokensOf(int row) => _rows[row].Tokens.Span;

    /// <inheritdoc/>
    public bool ReadsUnevenly => !_weights.Config.Rope.DependsOnLength;

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> tokens, ReadOnlySpan<int> counts, int scored, Span<float> logits, Span<float> hidden = default)
    {
        _weights.CheckThatTheyAreThere();
        int before = Longest;
        DecodingChecks.Check(tokens, counts, scored, RowCount, _weights.Config.VocabularySize, evenly: before > 0 && !ReadsUnevenly);
        if (MustBeginAnew(before, counts))
        {
            ReadAnew(tokens, counts, scored, logits, hidden);
            return;
        }

        for (int row = 0, from = 0; row < RowCount; from += counts[row++]) _rows[row].Extend(tokens.Slice(from, counts[row]));
        Compute(tokens, counts, scored, logits, hidden);
    }

    /// <inheritdoc/>
    public void Select(ReadOnlySpan<int> rows)
    {
        var selected = new CachedRow[rows.Length];

        // The first to take a row over takes the row itself, so that putting rows in another order copies nothing.
        for (int index = 0; index < rows.Length; index++) selected[index] = rows[..index].Contains(rows[index]) ? _rows[rows[index]].Copy() : _rows[rows[index]];
        for (int row = 0; row < RowCount; row++)
            if (!rows.Contains(row)) _rows[row].Dispose();
        _rows = selected;
    }

    /// <inheritdoc/>
    public void Forget(int count)
    {
        foreach (CachedRow row in _rows) row.Forget(count);
    }

    /// <inheritdoc/>
    public void Join(IDecodingBatch other)
    {
        if (other is not FusedDecodingBatch joined)
            throw new InvalidOperationException("The rows to join were begun while the model computed in another way: with adapters, or on another device. Begin them anew.");
        _rows = [.. _rows, .. joined._rows];
        joined._rows = [];
    }

    /// <inheritdoc/>
    public IDecodingBatch Clone() => new FusedDecodingBatch(_model, _weights, _layout, _canForget, Array.ConvertAll(_rows, static row => row.Copy())) { _rotaryLength = _rotaryLength };

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (CachedRow row in _rows) row.Dispose();
        _rows = [];
    }

    /// <summary>Whether rotary frequencies change with the new tokens, so that what is cached must be computed once more.</summary>
    private bool MustBeginAnew(int before, ReadOnlySpan<int> counts)
    {
        if (before == 0 || _weights.Config.Rope is not LongRope rope || before > rope.OriginalMaxPositions) return false;
        for (int row = 0; row < RowCount; row++)
            if (_rows[row].Tokens.Count + counts[row] > rope.OriginalMaxPositions) return true;
        return false;
    }

    /// <summary>
    /// Whether a row begins with a prompt that a forward pass reads, of its own, so that not even the last bits depend on other rows. Where frequencies depend on the
    /// longest row, a pass of its own would have others.
    /// </summary>
    private bool IsLong(int row, int count) =>
        count >= _model.LongPrompt && _rows[row].Tokens.Count == count && (RowCount == 1 || !_weights.Config.Rope.DependsOnLength);

    private void ReadAnew(ReadOnlySpan<int> tokens, ReadOnlySpan<int> counts, int scored, Span<float> logits, Span<float> hidden)
    {
        List<int> all = [];
        var allCounts = new int[RowCount];
        for (int row = 0, from = 0; row < RowCount; from += counts[row++])
        {
            all.AddRange(TokensOf(row));
            all.AddRange(tokens.Slice(from, counts[row]));
            allCounts[row] = TokensOf(row).Length + counts[row];
            _rows[row].Forget(TokensOf(row).Length);
        }

        Read(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(all), allCounts, scored, logits, hidden);
    }

    /// <summary>A row's first tokens by the model's forward pass, whose keys and values are taken over.</summary>
    private void ReadByForwardPass(int row, ReadOnlySpan<int> tokens, int scored, Span<float> logits, Span<float> hidden)
    {
        using var pass = new TorchDecodingBatch(_model.Model, 1, canForget: true);
        pass.Read(tokens, [tokens.Length], scored, logits, hidden);
        if (!_canForget) _rows[row].LetGoBehind(tokens.Length);
        _rows[row].MakeRoom(tokens.Length);
        for (int layer = 0; layer < _weights.Config.LayerCount; layer++)
        {
            (int kind, int place) = _layout.Of(layer);
            _layout.Kinds[kind].TakeOver(pass.Cache.Layer(layer), place, 0, _rows[row].PagesOf(kind), tokens.Length);
        }
    }

    /// <summary>Computes the tokens, as many at a time as go into a pass.</summary>
    private void Compute(ReadOnlySpan<int> tokens, ReadOnlySpan<int> counts, int scored, Span<float> logits, Span<float> hidden)
    {
        (_part.Weights, _part.Layout, _part.Rows, _part.Members) = (_weights, _layout, _rows, get_num_threads());
        _part.Frequencies = _weights.Rotary.FrequenciesFor(Longest, ref _rotaryLength);
        _part.Count = 0;
        int scores = scored * _weights.Config.VocabularySize, states = hidden.IsEmpty ? 0 : scored * _weights.Config.HiddenSize;
        fixed (float* allScores = logits, allStates = hidden)
        {
            _part.Logits = allScores;
            _part.Hidden = allStates;
            for (int row = 0, from = 0; row < RowCount; from += counts[row++])
            {
                if (IsLong(row, counts[row]))
                {
                    // Outputs of one pass lie one behind the other.
                    ComputePart();
                    ReadByForwardPass(row, tokens.Slice(from, counts[row]), scored, logits.Slice(row * scores, scores), hidden.Slice(row * states, states));
                    continue;
                }

                int begin = _rows[row].Tokens.Count - counts[row], output = (row * scored) + scored - counts[row];
                for (int token = 0; token < counts[row]; token++)
                {
                    bool isWanted = token >= counts[row] - scored;
                    _part.Entries[_part.Count++] = new FusedEntry(tokens[from + token], row, begin + token, isWanted ? output + token : -1);
                    if (_part.Count == FusedStep.MostTokens) ComputePart();
                }
            }

            ComputePart();
        }
    }

    /// <summary>Computes the tokens that have been put together. What no later token sees is let go of at once, so that a long prompt needs no more memory than its windows.</summary>
    private void ComputePart()
    {
        if (_part.Count == 0) return;
        foreach (FusedEntry entry in _part.Entries.AsSpan(0, _part.Count)) _rows[entry.Row].MakeRoom(entry.Position + 1);
        _model.Passes.Run(_part);
        if (!_canForget)
            foreach (FusedEntry entry in _part.Entries.AsSpan(0, _part.Count)) _rows[entry.Row].LetGoBehind(entry.Position + 1);
        _part.Count = 0;
    }
}
