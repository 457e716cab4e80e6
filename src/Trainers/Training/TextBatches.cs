using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers;

/// <summary>Makes of texts what the model reads at once: without padding where that is faster, and from their states where frozen layers have been run already.</summary>
/// <param name="model">The model.</param>
/// <param name="padId">What fills shorter rows; see <see cref="TokenBatch.Create"/>.</param>
/// <param name="packs">Whether texts may lie behind each other instead of being padded to the longest.</param>
/// <param name="arePooled">Whether the model is read off at one token of each text, the last that is not padding.</param>
internal sealed class TextBatches(PretrainedModel model, int? padId, bool packs, bool arePooled)
{
    /// <summary>
    /// What a group of texts in a batch costs, in weights of a layer that could be multiplied with a token meanwhile: the operators of attention, forward and backward. By
    /// measurement a group costs as much as one token in layers of 3.5 million weights.
    /// </summary>
    private const long GroupCost = 3 << 20;

    /// <summary>The model.</summary>
    public PretrainedModel Model => model;

    /// <summary>Where it is.</summary>
    public Device Device { get; } = model.parameters().First().device;

    /// <summary>Whether the model is read off at one token of each text.</summary>
    public bool ArePooled => arePooled;

    /// <summary>Most tokens that are read at once, padding included.</summary>
    public int TokensAtOnce { get; set; } = int.MaxValue;

    /// <summary>What frozen layers have made of texts; null where every text is read from the first layer on.</summary>
    public FrozenPrefix? Prefix { get; set; }

    /// <summary>Where many operators at once are what is fast, texts are padded: it is the calls that cost.</summary>
    private bool LieBehindEachOther => packs && Device.type == TorchSharp.DeviceType.CPU;

    /// <summary>Reads texts; the caller disposes the batch.</summary>
    /// <param name="texts">Token ids, at least one text and at least one id each.</param>
    public TextBatch Read(IReadOnlyList<int[]> texts) => Prefix?.Read(texts) ?? ReadIds(texts);

    /// <summary>As <see cref="Read"/>, from the first layer on.</summary>
    public TextBatch ReadIds(IReadOnlyList<int[]> texts) => TextBatch.OfIds(texts, LayOut([.. texts.Select(text => text.Length)]), padId ?? 0, Device);

    /// <summary>Which token of each text of a batch the model is read off at.</summary>
    /// <param name="batch">What <see cref="Read"/> gave for the texts.</param>
    /// <param name="texts">The texts.</param>
    public int[] Positions(TextBatch batch, IReadOnlyList<int[]> texts) => Prefix is { KeepsOneToken: true } && batch.HasStates ? new int[texts.Count] : Positions(texts);

    /// <summary>Which token of each text the model is read off at.</summary>
    public int[] Positions(IReadOnlyList<int[]> texts) => [.. texts.Select(text => TokenBatch.LastPosition(text, padId))];

    /// <summary>Where texts of some lengths lie.</summary>
    public TextLayout LayOut(int[] lengths) => LieBehindEachOther ? new TextLayout(lengths, LengthBatches.Plan(lengths, lengths.Length, TokensAtOnce, CostOfGroup())) : TextLayout.Padded(lengths);

    /// <summary>Parts texts so that no part has more tokens than <see cref="TokensAtOnce"/>; a longer text is a part of its own.</summary>
    /// <param name="lengths">Tokens of each text.</param>
    /// <returns>Per part the places of its texts, shorter ones first.</returns>
    public IReadOnlyList<int[]> Parts(int[] lengths)
    {
        int rows = Math.Max(1, lengths.Length);
        if (!LieBehindEachOther) return LengthBatches.Plan(lengths, rows, TokensAtOnce);
        var parts = new List<int[]>();
        List<int> part = [];
        long tokens = 0;
        foreach (int[] group in LengthBatches.Plan(lengths, rows, TokensAtOnce, CostOfGroup()))
        {
            long more = group.Length * (long)lengths[group[^1]];
            if (part.Count > 0 && tokens + more > TokensAtOnce)
            {
                parts.Add([.. part]);
                part.Clear();
                tokens = 0;
            }

            part.AddRange(group);
            tokens += more;
        }

        if (part.Count > 0) parts.Add([.. part]);
        return parts;
    }

    /// <summary>In tokens.</summary>
    private int CostOfGroup()
    {
        DecoderConfig config = model.Config;
        long attention = 2L * config.HiddenSize * config.HeadSize * (config.HeadCount + config.KeyValueHeadCount);
        long feedForward = (config.FeedForward == FeedForwardKind.Plain ? 2L : 3L) * config.HiddenSize * config.IntermediateSize;
        return (int)Math.Max(1, GroupCost / (attention + feedForward));
    }
}
