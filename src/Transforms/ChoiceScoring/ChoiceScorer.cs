using MLComponents.Models;
using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>A causal language model with its tokenizer, and the choices whose likelihood it gives.</summary>
internal sealed class ChoiceScorer : DecoderScorer<CausalLanguageModel>
{
    /// <summary>Most rows of logits at a time: 64 of them take 40 MB where a vocabulary is large.</summary>
    private const int MostRows = 64;

    private readonly PromptEncoder _encoder;
    private readonly ChoiceTree _tree;
    private readonly double[] _lengths;
    private readonly int[]? _contentFree;
    private readonly SharedPrompts _shared;
    private float[]? _contentFreeLikelihoods;

    /// <summary>Wraps a model, which is switched to evaluation and stays where it is.</summary>
    /// <param name="model">The model; owned by this object from now on.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="settings">The choices, and how to score them.</param>
    /// <param name="source">What to call the model in messages.</param>
    /// <exception cref="FormatException">The tokenizer has ids that the model has no embedding for.</exception>
    /// <exception cref="ArgumentException">Choices are too long for the model, or are the same for its tokenizer.</exception>
    /// <exception cref="InvalidOperationException">A conversation was asked for, and the tokenizer has no chat template.</exception>
    public ChoiceScorer(CausalLanguageModel model, PretrainedTokenizer tokenizer, ChoiceScoringSettings settings, string source = "the model")
        : base(model, tokenizer, settings.Options.MaxPromptLength, source)
    {
        ChoiceScoringOptions options = settings.Options;
        string prefix = options.ChoicePrefix ?? (options.Chat is null ? " " : "");
        int[][] choices = [.. settings.Choices.Select(choice => Encode(tokenizer, prefix + choice))];
        for (int choice = 0; choice < choices.Length; choice++)
        {
            if (choices[choice].Length == 0) throw new ArgumentException($"The choice '{settings.Choices[choice]}' has no token.", nameof(settings));
            int same = Array.FindIndex(choices, choice + 1, other => other.AsSpan().SequenceEqual(choices[choice]));
            if (same >= 0) throw new ArgumentException($"The choices '{settings.Choices[choice]}' and '{settings.Choices[same]}' have the same tokens: the model cannot tell them apart.", nameof(settings));
        }

        _tree = new ChoiceTree(choices);
        _lengths = options.LengthNormalization switch
        {
            LengthNormalization.Tokens => [.. choices.Select(static choice => (double)choice.Length)],
            LengthNormalization.Bytes => [.. settings.Choices.Select(static choice => (double)System.Text.Encoding.UTF8.GetByteCount(choice))],
            _ => [.. choices.Select(static _ => 1.0)],
        };
        int room = model.Config.MaxPositions - _tree.Depth;
        if (room < 1 || options.MaxPromptLength > room)
            throw new ArgumentOutOfRangeException(nameof(settings), options.MaxPromptLength, $"The longest choice has {_tree.Depth} tokens and a prompt up to {options.MaxPromptLength ?? 1}; together they exceed the {model.Config.MaxPositions} tokens of the context of {source} (max_position_embeddings).");
        _encoder = new PromptEncoder(tokenizer, options.Chat, options.MaxPromptLength ?? room, options.TruncationSide);
        _shared = new SharedPrompts(model, _encoder);
        if (options.ContentFreePrompt is not { } contentFree) return;
        EncodedText encoded = _encoder.Encode(new GenerationPrompt(contentFree.AsMemory(), default, []));
        if (encoded.Truncated) throw new ArgumentException($"{nameof(ChoiceScoringOptions.ContentFreePrompt)} has more tokens than a prompt may have, which are {MaxPromptLength}.", nameof(settings));
        _contentFree = encoded.Ids;
    }

    /// <summary>Most tokens of a prompt.</summary>
    public int MaxPromptLength => _encoder.MaxLength;

    /// <summary>The tokens of each choice.</summary>
    internal IReadOnlyList<int[]> ChoiceIds => _tree.Choices;

    /// <summary>Encodes a prompt.</summary>
    /// <exception cref="InvalidOperationException">What stands around the input leaves no room for it.</exception>
    public EncodedText Encode(GenerationPrompt prompt) => _encoder.Encode(prompt);

    /// <summary>Runs the model. Called by one thread at a time.</summary>
    /// <param name="prompts">Token ids, at least one per prompt.</param>
    /// <param name="beginning">What the texts of their column begin with, which is read once; empty where they have nothing in common.</param>
    /// <param name="checkAlive">Throws when the run was cancelled; asked before every prompt.</param>
    /// <returns>Per prompt the log-likelihood of each choice, in nats.</returns>
    public float[][] Forward(IReadOnlyList<int[]> prompts, string beginning, Action checkAlive)
    {
        if (_contentFree is not null) _contentFreeLikelihoods ??= LogLikelihoods([_contentFree], "", checkAlive)[0];
        // Where rotary frequencies depend on the longest row, prompts are apart, so that none depends on another.
        int together = Model.Config.Rope.DependsOnLength ? 1 : Math.Max(1, MostRows / _tree.Width);
        return [.. prompts.Chunk(together).SelectMany(chunk => LogLikelihoods(chunk, beginning, checkAlive))];
    }

    /// <summary>Makes probabilities of log-likelihoods.</summary>
    public ScoredChoices Score(float[] logLikelihoods)
    {
        var scores = new float[logLikelihoods.Length];
        for (int choice = 0; choice < scores.Length; choice++)
            scores[choice] = (float)(((double)logLikelihoods[choice] - (_contentFreeLikelihoods?[choice] ?? 0)) / _lengths[choice]);
        return new ScoredChoices(Classification.Multiclass(scores), logLikelihoods);
    }

    /// <summary>Reads what <see cref="DecoderScorer{TModel}.Save"/> wrote.</summary>
    /// <exception cref="FormatException">An entry is missing, damaged or larger than is believable.</exception>
    public static ChoiceScorer Read(ModelSource source, ChoiceScoringSettings settings) => ModelEntries.Read(
        source,
        CausalLanguageModel.Create,
        (model, tokenizer) => new ChoiceScorer(model, tokenizer, settings, "the model file"));

    public override void Dispose()
    {
        _shared.Dispose();
        base.Dispose();
    }

    /// <summary>The tokens of a choice as they are behind other text, and not at the beginning of one.</summary>
    private static int[] Encode(PretrainedTokenizer tokenizer, string choice)
    {
        string before = char.IsWhiteSpace(choice[0]) ? ":" : "\n";
        int[] context = tokenizer.EncodeIds(before, addSpecialTokens: false), both = tokenizer.EncodeIds(before + choice, addSpecialTokens: false);
        return both.AsSpan().StartsWith(context) ? both[context.Length..] : tokenizer.EncodeIds(choice, addSpecialTokens: false);
    }

    private float[][] LogLikelihoods(IReadOnlyList<int[]> prompts, string beginning, Action checkAlive)
    {
        int vocabulary = Model.Config.VocabularySize;
        var sums = new double[prompts.Count][];
        var logits = new float[prompts.Count * _tree.Width * vocabulary];
        using IDecodingBatch batch = Read(prompts, _shared.Of(beginning), logits, checkAlive);
        for (int depth = 0; depth < _tree.Depth; depth++)
        {
            ChoiceTree.Node[] level = _tree.Levels[depth];
            if (depth > 0)
            {
                int parents = _tree.Levels[depth - 1].Length;
                batch.Select([.. Enumerable.Range(0, prompts.Count).SelectMany(row => level.Select(node => (row * parents) + node.Parent))]);
                int[] tokens = [.. Enumerable.Range(0, prompts.Count).SelectMany(_ => level.Select(static node => node.Token))];
                batch.Read(tokens, [.. tokens.Select(static _ => 1)], 1, logits.AsSpan(0, tokens.Length * vocabulary));
            }

            for (int row = 0; row < prompts.Count; row++)
            {
                sums[row] ??= new double[_tree.Choices.Count];
                for (int node = 0; node < level.Length; node++)
                {
                    ReadOnlySpan<float> own = logits.AsSpan(((row * level.Length) + node) * vocabulary, vocabulary);
                    double all = ScoreMath.LogSum(own);
                    foreach ((int choice, int token) in level[node].Next) sums[row][choice] += own[token] - all;
                }
            }
        }

        return Array.ConvertAll(sums, static row => Array.ConvertAll(row, static sum => (float)sum));
    }

    /// <summary>Lets the model read prompts, each alone, so that not even its last bits depend on the others.</summary>
    private IDecodingBatch Read(IReadOnlyList<int[]> prompts, SharedPrompt shared, float[] logits, Action checkAlive)
    {
        int vocabulary = Model.Config.VocabularySize;
        IDecodingBatch? all = null;
        try
        {
            for (int row = 0; row < prompts.Count; row++)
            {
                checkAlive();
                IDecodingBatch one = shared.Read(prompts[row], logits.AsSpan(row * vocabulary, vocabulary));
                if (all is null)
                {
                    all = one;
                    continue;
                }

                using (one) all.Join(one);
            }

            return all!;
        }
        catch
        {
            all?.Dispose();
            throw;
        }
    }
}
