using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;

namespace MLComponents.Models;

/// <content>Generation of texts as they come, and of many.</content>
public sealed partial class CausalLanguageModel
{
    /// <summary>Generates one text and gives its tokens as they come. Leaving the loop ends generation.</summary>
    /// <param name="input">One prompt, and what belongs to this call only; with a tokenizer, tokens come with their text.</param>
    /// <param name="config">How; what is null there follows <see cref="GenerationConfig"/>. Without beams, and for one text.</param>
    /// <param name="cancellationToken">Ends generation before the next token.</param>
    /// <exception cref="ArgumentException">What was asked for cannot be done.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IAsyncEnumerable<GeneratedToken> StreamAsync(GenerationInput input, GenerationConfig? config = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);

        // What cannot be done is refused here, not when the first token is asked for.
        var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        GenerationCall call = new(this, input, config, stop.Token);
        if (call.Prompts.Count > 1 || call.Settings.SequenceCount > 1 || call.Settings.BeamCount > 1)
            throw new ArgumentException("A stream is of one text, without beams; call it for each prompt.", nameof(input));
        return StreamAsync(call, stop, CancellationToken.None);
    }

    /// <summary>
    /// Generates a text for each of many prompts, so many at a time; when one ends, the next one takes its place. A text does not depend on those beside it.
    /// </summary>
    /// <param name="prompts">The token ids of the prompts; read as they are needed.</param>
    /// <param name="config">How; what is null there follows <see cref="GenerationConfig"/>. Without beams, guidance and contrastive search, one text for each prompt.</param>
    /// <param name="batchSize">How many texts are in the making at a time.</param>
    /// <param name="input">
    /// What else belongs to this call: what all prompts begin with as <see cref="GenerationInput.Cache"/>, a constraint, processors, seeds in the order of the prompts; but no prompts. Or null.
    /// </param>
    /// <param name="cancellationToken">Ends generation before the next token.</param>
    /// <returns>The texts in the order of the prompts.</returns>
    /// <exception cref="ArgumentException">What was asked for cannot be done.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IEnumerable<GeneratedSequence> GenerateMany(
        IEnumerable<IReadOnlyList<int>> prompts, GenerationConfig? config = null, int batchSize = 8, GenerationInput? input = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (input is { InputIds: not null } or { InputsEmbeds: not null }) throw new ArgumentException("The prompts are given apart; leave them out of the input.", nameof(input));
        return Many();

        IEnumerable<GeneratedSequence> Many()
        {
            long seed = config?.Seed ?? GenerationConfig.Seed ?? Random.Shared.NextInt64();
            using IEnumerator<IReadOnlyList<int>> waiting = prompts.GetEnumerator();
            using var batch = new RunningBatch(this);
            Dictionary<RunningRow, int> indices = [];
            Dictionary<int, GeneratedSequence> ended = [];
            int begun = 0, given = 0;
            bool more = true;
            do
            {
                List<RunningRow> joining = [];
                while (batch.Count + joining.Count < batchSize && (more = more && waiting.MoveNext()))
                {
                    GenerationInput own = (input ?? new GenerationInput()) with
                    {
                        InputIds = [waiting.Current],
                        AttentionMask = [[.. waiting.Current.Select(static _ => true)]],
                        Seeds = [input?.Seeds is { } seeds ? seeds[begun] : RowRandom.SeedOf(seed, begun)],
                    };
                    joining.Add(new RunningRow(new GenerationCall(this, own, config, cancellationToken) { FirstPromptIndex = begun }));
                    indices.Add(joining[^1], begun++);
                }

                using (TorchSharp.torch.no_grad())
                {
                    batch.Join(joining);
                    foreach (RunningRow row in batch.Step())
                    {
                        if (row.Fault is { } fault) ExceptionDispatchInfo.Throw(fault);
                        indices.Remove(row, out int index);
                        ended.Add(index, row.Row.ToSequence());
                    }
                }

                while (ended.Remove(given, out GeneratedSequence? next))
                {
                    given++;
                    yield return next;
                }
            }
            while (more || batch.Count > 0);
        }
    }

    private static async IAsyncEnumerable<GeneratedToken> StreamAsync(GenerationCall call, CancellationTokenSource stop, [EnumeratorCancellation] CancellationToken enumerated)
    {
        using CancellationTokenSource stopping = stop;
        using CancellationTokenRegistration registration = enumerated.Register(stop.Cancel);
        var channel = Channel.CreateUnbounded<GeneratedToken>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        StreamedText? text = call.Input.Tokenizer is { } tokenizer ? new StreamedText(tokenizer, call.Settings.Config.StopStrings ?? []) : null;
        GeneratedToken? last = null;
        call.Observer = Observe;
        Task work = Task.Run(Work, CancellationToken.None);
        try
        {
            await foreach (GeneratedToken token in channel.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false)) yield return token;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(false);

            // What was not read any more may hold memory.
            while (channel.Reader.TryRead(out GeneratedToken? unread)) unread.Cache?.Dispose();
        }

        void Observe(int id, float logProbability, FinishReason? reason)
        {
            var token = new GeneratedToken { Id = id, LogProbability = logProbability, FinishReason = reason, Text = text?.Add(id, reason is not null) ?? "" };
            if (reason is null) channel.Writer.TryWrite(token);
            else last = token;
        }

        void Work()
        {
            try
            {
                GenerationOutput output = GenerationStrategy.Run(call);
                channel.Writer.TryWrite(last! with { Cache = output.Cache });
                channel.Writer.Complete();
            }
            catch (Exception exception)
            {
                channel.Writer.Complete(exception);
            }
        }
    }
}
