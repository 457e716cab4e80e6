using System.Collections.Concurrent;
using MLComponents.Tokenization;

namespace MLComponents.Models.Tests;

/// <summary>Stands for a model that knows what to say: the tokens of a text, and the end.</summary>
internal sealed class ScriptedDecoding(DecoderConfig config, PretrainedTokenizer tokenizer, params string[] replies) : IDecodingModel
{
    private int _next;

    /// <summary>The prompts that were read.</summary>
    public ConcurrentQueue<string> Prompts { get; } = [];

    public DecoderConfig Config => config;

    public IDecodingBatch NewBatch(int rows, bool canForget) =>
        new Batch(this, rows == 1 ? [.. tokenizer.EncodeIds(replies[(Interlocked.Increment(ref _next) - 1) % replies.Length], addSpecialTokens: false), tokenizer.EosTokenId!.Value] : []);

    private sealed class Batch(ScriptedDecoding owner, int[] script) : IDecodingBatch
    {
        private readonly RowTokens _tokens = new([]);
        private int _step;

        public int RowCount => 1;

        public bool ReadsUnevenly => false;

        public ReadOnlySpan<int> TokensOf(int row) => _tokens.Span;

        public void Read(ReadOnlySpan<int> tokens, ReadOnlySpan<int> counts, int scored, Span<float> logits, Span<float> hidden = default)
        {
            _tokens.Add(tokens);
            if (_step == 0) owner.Prompts.Enqueue(owner.Tokenizer.Decode(tokens, skipSpecialTokens: false));
            logits.Clear();
            logits[script[Math.Min(_step++, script.Length - 1)]] = 50;
        }

        public void Select(ReadOnlySpan<int> rows)
        {
        }

        public void Forget(int count) => throw new NotSupportedException();

        public void Join(IDecodingBatch other) => throw new NotSupportedException();

        public IDecodingBatch Clone() => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }

    private PretrainedTokenizer Tokenizer => tokenizer;
}
