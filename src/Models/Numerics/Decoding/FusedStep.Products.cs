namespace MLComponents.Models;

/// <content>Products: of few rows, whose input every member arranges for itself, and of many, which share theirs.</content>
internal sealed unsafe partial class FusedStep<TLanes, TVector, TWeights, TNumbers>
{
    /// <summary>About so many bytes of a matrix are one item of work for few rows: few enough to share out evenly, enough to be read in one go.</summary>
    private const int ItemBytes = 1 << 16;

    /// <summary>From so many rows on it pays to bring the weights into another order first.</summary>
    private const int ManyRows = 48;

    private const int OutputsMultiple = 4;

    /// <summary>The blocks of rows of one item of work, where there are many.</summary>
    private const int ItemBlocks = 2;

    /// <summary>The panels of a member.</summary>
    private const int Panels = 2;

    // Where inputs lie: those of a member, those that are shared.
    private (nint Own, nint Shared) _inputs, _otherInputs;
    private nint _normedAt, _sliceAt, _panelAt;
    private int _members;

    // What the members' panels hold.
    private (nint Weights, int First)[] _panels = [];

    private static bool AreMany(int rows) => TLanes.Count > 1 && rows >= ManyRows;

    private void DivideForProducts(FusedScratch scratch, int members)
    {
        _members = members;
        if (!AreMany(TokenCount)) return;
        if (_panels.Length < members * Panels) _panels = new (nint, int)[members * Panels];
        Array.Clear(_panels);
        nint blocks = (TokenCount + ManyRowsProduct<TLanes, TVector, TWeights>.Rows - 1) / ManyRowsProduct<TLanes, TVector, TWeights>.Rows;
        nint size = blocks * ManyRowsProduct<TLanes, TVector, TWeights>.BlockSize(_widest);
        (_inputs.Shared, _otherInputs.Shared) = (scratch.Take(size), scratch.Take(size));
    }

    private void DivideForProductsOfMember(FusedScratch scratch, nint start)
    {
        nint few = (AreMany(TokenCount) ? ManyRows - 1 : TokenCount) * (nint)_widest;
        (_inputs.Own, _otherInputs.Own) = (scratch.Take(few) - start, scratch.Take(few) - start);
        _normedAt = scratch.Take(ManyRowsProduct<TLanes, TVector, TWeights>.Rows * Config.HiddenSize) - start;
        nint outputs = 0;
        foreach (FusedLayer layer in Weights.Layers)
            foreach (FusedMatrix matrix in (ReadOnlySpan<FusedMatrix>)[layer.AttentionOutput, layer.Activated, layer.Down]) outputs = Math.Max(outputs, OutputsOf(matrix, TokenCount));
        _sliceAt = scratch.Take(RowsOf(TokenCount) * outputs) - start;
        if (AreMany(TokenCount)) _panelAt = scratch.Take(Panels * ManyRowsProduct<TLanes, TVector, TWeights>.PanelSize(_widest)) - start;
    }

    /// <summary>Brings the input of products into the order that they read it in.</summary>
    /// <param name="team">The team; where many rows are shared out, it meets.</param>
    /// <param name="member">The member.</param>
    /// <param name="place">Where to.</param>
    /// <param name="values">The values, <c>[tokens, width]</c>.</param>
    /// <param name="norm">What is applied to them first, or null.</param>
    /// <param name="width">The numbers of a row.</param>
    /// <param name="ofWanted">Whether only the tokens are taken whose logits are wanted.</param>
    private float* Bring(WorkerTeam team, int member, (nint Own, nint Shared) place, nint values, FusedNorm? norm, int width, bool ofWanted = false)
    {
        int rows = ofWanted ? WantedCount : TokenCount;
        if (!AreMany(rows))
        {
            float* own = Mine(member, place.Own), row = Mine(member, _normedAt);
            for (int index = 0; index < rows; index++)
            {
                float* source = RowOf(index);
                if (norm is { } first) Normalize(first, source, row);
                FewRowsProduct<TLanes, TVector, TWeights>.Arrange(norm is null ? source : row, own + (index * width), width);
            }

            return own;
        }

        float* shared = At(place.Shared), normed = Mine(member, _normedAt);
        int most = ManyRowsProduct<TLanes, TVector, TWeights>.Rows;
        nint size = ManyRowsProduct<TLanes, TVector, TWeights>.BlockSize(width);
        while (team.TakeItem(member, (rows + most - 1) / most, out int block))
        {
            int from = block * most, count = Math.Min(most, rows - from);
            for (int index = 0; norm is not null && index < count; index++) Normalize(norm.Value, RowOf(from + index), normed + (index * width));
            ManyRowsProduct<TLanes, TVector, TWeights>.FillBlock(norm is null ? RowOf(from) : normed, width, count, width, shared + (block * size));
        }

        team.Meet();
        return shared;

        float* RowOf(int index) => At(values) + ((ofWanted ? Wanted[index] : index) * (nint)width);
    }

    private void Normalize(FusedNorm norm, float* source, float* target)
    {
        if (Config.Norm == NormKind.Layer) TokenMath<TLanes, TVector, TNumbers>.LayerNorm(source, target, Config.HiddenSize, norm, (float)Config.NormEpsilon);
        else TokenMath<TLanes, TVector, TNumbers>.RootMeanSquareNorm(source, target, Config.HiddenSize, norm, (float)Config.NormEpsilon);
    }

    /// <summary>The outputs of one item of work.</summary>
    private int OutputsOf(FusedMatrix matrix, int rows)
    {
        if (AreMany(rows)) return ManyRowsProduct<TLanes, TVector, TWeights>.Outputs;

        // As many items for each member.
        nint items = ((matrix.Outputs * TWeights.BytesOf(matrix.InWidth)) + ItemBytes - 1) / ItemBytes;
        items = (items + _members - 1) / _members * _members;
        return (int)((((matrix.Outputs + items - 1) / items) + OutputsMultiple - 1) / OutputsMultiple * OutputsMultiple);
    }

    /// <summary>The rows of one item of work: few of many, so that what is computed of them stays in the caches.</summary>
    private static int RowsOf(int rows) => AreMany(rows) ? Math.Min(rows, ItemBlocks * ManyRowsProduct<TLanes, TVector, TWeights>.Rows) : rows;

    private int CountItems(FusedMatrix matrix, int rows) =>
        (matrix.Outputs + OutputsOf(matrix, rows) - 1) / OutputsOf(matrix, rows) * ((rows + RowsOf(rows) - 1) / RowsOf(rows));

    private int CountItems(FusedMatrix[] matrices)
    {
        int sum = 0;
        foreach (FusedMatrix matrix in matrices) sum += CountItems(matrix, TokenCount);
        return sum;
    }

    /// <summary>What an item of work computes. Items with the same outputs lie side by side.</summary>
    private FusedSlice SliceOf(FusedMatrix matrix, int item, int rows)
    {
        int most = RowsOf(rows), parts = (rows + most - 1) / most, first = item / parts * OutputsOf(matrix, rows), row = item % parts * most;
        return new FusedSlice(first, Math.Min(matrix.Outputs, first + OutputsOf(matrix, rows)), row, Math.Min(rows, row + most));
    }

    /// <summary>Computes a slice of a product's results.</summary>
    /// <param name="member">Who does.</param>
    /// <param name="panel">Which of its panels may be used; 0 or 1.</param>
    /// <param name="matrix">The matrix.</param>
    /// <param name="input">Its input.</param>
    /// <param name="target">Takes the results, <c>[rows, stride]</c>.</param>
    /// <param name="stride">The distance of two rows.</param>
    /// <param name="slice">Which results.</param>
    /// <param name="rows">How many rows the input has.</param>
    private void Multiply(int member, int panel, FusedMatrix matrix, float* input, float* target, nint stride, FusedSlice slice, int rows)
    {
        if (AreMany(rows)) MultiplyMany(member, panel, matrix, input, target, stride, slice, rows);
        else FewRowsProduct<TLanes, TVector, TWeights>.Multiply((byte*)matrix.Weights, matrix.InWidth, slice.First, slice.End, input, matrix.InWidth, rows, target, stride);
        for (int row = slice.FirstRow; row < slice.EndRow; row++)
            TokenMath<TLanes, TVector, TNumbers>.AddBias((void*)matrix.Bias, slice.First, target + (row * stride) + slice.First, slice.Count);
    }

    /// <summary>Computes a slice of a product's results where nobody else looks.</summary>
    /// <returns>The slice, row by row, until the member computes the next one.</returns>
    private float* MultiplyApart(int member, int panel, FusedMatrix matrix, float* input, FusedSlice slice)
    {
        float* target = Mine(member, _sliceAt);
        Multiply(member, panel, matrix, input, target - (slice.FirstRow * slice.Count) - slice.First, slice.Count, slice, TokenCount);
        return target;
    }

    private void MultiplyMany(int member, int panel, FusedMatrix matrix, float* input, float* target, nint stride, FusedSlice slice, int rows)
    {
        int most = ManyRowsProduct<TLanes, TVector, TWeights>.Rows;
        nint size = ManyRowsProduct<TLanes, TVector, TWeights>.BlockSize(matrix.InWidth), bytes = TWeights.BytesOf(matrix.InWidth);
        float* weights = Mine(member, _panelAt) + (panel * ManyRowsProduct<TLanes, TVector, TWeights>.PanelSize(_widest));
        ref (nint Weights, int First) held = ref _panels[(member * Panels) + panel];
        if (held != (matrix.Weights, slice.First))
        {
            ManyRowsProduct<TLanes, TVector, TWeights>.FillPanel((byte*)matrix.Weights, matrix.InWidth, slice.First, slice.End, weights);
            held = (matrix.Weights, slice.First);
        }

        // Meanwhile the weights of the next panel are on their way.
        byte* next = (byte*)matrix.Weights + (slice.End * bytes);
        int blocks = (rows + most - 1) / most;
        nint share = ((Math.Min(slice.Count, matrix.Outputs - slice.End) * bytes) + blocks - 1) / blocks;
        for (int row = slice.FirstRow; row < slice.EndRow; row += most)
        {
            int block = row / most;
            ManyRowsProduct<TLanes, TVector, TWeights>.Multiply(
                weights, input + (block * size), matrix.InWidth, Math.Min(most, slice.EndRow - row), slice.Count, target + (row * stride) + slice.First, stride, next + (block * share), share);
        }
    }
}
