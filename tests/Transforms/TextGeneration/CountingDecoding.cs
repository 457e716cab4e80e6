using MLComponents.Models;

namespace MLComponents.Tests.Transforms;

/// <summary>Counts what generation asks of a model.</summary>
/// <param name="model">The model.</param>
internal sealed class CountingDecoding(CausalLanguageModel model) : IDecodingModel
{
    private readonly FusedDecodingModel _decoding = new(model);

    /// <summary>Rows of each read in which some go on with one token.</summary>
    public List<int> Steps { get; } = [];

    /// <summary>Tokens that each of the other rows reads.</summary>
    public List<int> Prompts { get; } = [];

    /// <summary>Called before every read.</summary>
    public Action Reading { get; set; } = static () => { };

    public DecoderConfig Config => model.Config;

    public IDecodingBatch NewBatch(int rows, bool canForget) => new Batch(this, _decoding.NewBatch(rows, canForget));

    private sealed class Batch(CountingDecoding owner, IDecodingBatch batch) : IDecodingBatch
    {
        public int RowCount => batch.RowCount;

        public bool ReadsUnevenly => batch.ReadsUnevenly;

        public ReadOnlySpan<int> TokensOf(int row) => batch.TokensOf(row);

        public void Read(ReadOnlySpan<int> tokens, ReadOnlySpan<int> counts, int scored, Span<float> logits, Span<float> hidden = default)
        {
            owner.Reading();
            bool isStep = false;
            for (int row = 0; row < RowCount; row++)
            {
                if (TokensOf(row).Length > 0 && counts[row] == 1) isStep = true;
                else owner.Prompts.Add(counts[row]);
            }

            if (isStep) owner.Steps.Add(RowCount);
            batch.Read(tokens, counts, scored, logits, hidden);
        }

        public void Select(ReadOnlySpan<int> rows) => batch.Select(rows);

        public void Forget(int count) => batch.Forget(count);

        public void Join(IDecodingBatch other) => batch.Join(((Batch)other).Inner);

        public IDecodingBatch Clone() => new Batch(owner, batch.Clone());

        public void Dispose() => batch.Dispose();

        private IDecodingBatch Inner => batch;
    }
}
