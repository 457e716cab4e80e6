using System.Text;
using MLComponents.Tokenization;

namespace MLComponents.Models.Tests;

public class StreamingTests
{
    private static readonly GenerationConfig s_config = new() { DoSample = true, TopK = 0, Temperature = 2, Seed = 5, MaxNewTokens = 60, EosTokenIds = [] };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Streamed_tokens_are_those_of_the_whole_text_and_never_half_a_character()
    {
        PretrainedTokenizer tokenizer = TinyDecoder.LoadTokenizer();
        using CausalLanguageModel model = Model(tokenizer);
        var input = new GenerationInput { InputIds = [[5, 9]], Tokenizer = tokenizer };
        using GenerationOutput whole = model.Generate(input, s_config, Cancellation);

        List<GeneratedToken> tokens = [];
        await foreach (GeneratedToken token in model.StreamAsync(input, s_config, Cancellation)) tokens.Add(token);

        Assert.Equal(whole.Sequences[0].NewIds, tokens.Select(token => token.Id));
        Assert.Equal(whole.Sequences[0].LogProbabilities, tokens.Select(token => token.LogProbability));
        Assert.Equal(tokenizer.Decode([.. whole.Sequences[0].NewIds], skipSpecialTokens: true), string.Concat(tokens.Select(token => token.Text)));
        Assert.All(tokens, token => Assert.DoesNotContain(token.Text.EnumerateRunes(), rune => rune == Rune.ReplacementChar && token.FinishReason is null && token.Text.Length == 1));
        Assert.Equal(FinishReason.Length, tokens[^1].FinishReason);
        Assert.All(tokens.SkipLast(1), token => Assert.Null(token.FinishReason));
    }

    [Fact]
    public async Task A_stop_string_ends_a_text_across_tokens_and_is_not_streamed()
    {
        PretrainedTokenizer tokenizer = TinyDecoder.LoadTokenizer();
        using CausalLanguageModel model = Model(tokenizer);
        using GenerationOutput whole = model.Generate(new GenerationInput { InputIds = [[5, 9]] }, s_config, Cancellation);
        string[] texts = [.. whole.Sequences[0].NewIds.Select(id => tokenizer.Decode([id], false))];

        // From the middle of one token to the middle of another.
        int first = Enumerable.Range(10, 30).First(index => texts[index].Length > 1 && texts[index + 2].Length > 1 && !string.Concat(texts[index..(index + 3)]).Contains('\uFFFD'));
        string stop = texts[first][^1..] + texts[first + 1] + texts[first + 2][..1];
        var input = new GenerationInput { InputIds = [[5, 9]], Tokenizer = tokenizer };
        GenerationConfig config = s_config with { StopStrings = ["never to be seen", stop] };

        using GenerationOutput output = model.Generate(input, config, Cancellation);
        StringBuilder streamed = new();
        FinishReason? reason = null;
        await foreach (GeneratedToken token in model.StreamAsync(input, config, Cancellation))
        {
            streamed.Append(token.Text);
            reason = token.FinishReason;
        }

        GeneratedSequence sequence = output.Sequences[0];
        Assert.Equal((FinishReason.StopString, stop), (sequence.FinishReason, sequence.StopString));
        string text = tokenizer.Decode([.. sequence.NewIds], true);
        Assert.Contains(stop, text);
        Assert.DoesNotContain(stop, tokenizer.Decode([.. sequence.NewIds.SkipLast(1)], true));
        Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], streamed.ToString());
        Assert.Equal(FinishReason.StopString, reason);
    }

    [Fact]
    public void A_stop_string_that_begins_in_the_prompt_is_found()
    {
        PretrainedTokenizer tokenizer = TinyDecoder.LoadTokenizer();
        int[] ids = tokenizer.EncodeIds("one two three four", addSpecialTokens: false);
        var search = new StopStringSearch(tokenizer, ["two three"], ids.AsSpan(0, 2));
        Assert.Equal("two three", ids.Skip(2).Select(search.Add).First(found => found is not null));
        Assert.Null(new StopStringSearch(tokenizer, ["one two"], ids.AsSpan(0, ids.Length - 1)).Add(ids[^1]));
    }

    [Fact]
    public void Streamers_get_the_prompt_and_then_every_token()
    {
        PretrainedTokenizer tokenizer = TinyDecoder.LoadTokenizer();
        using CausalLanguageModel model = Model(tokenizer);
        int[] prompt = tokenizer.EncodeIds("A prompt. A prompt. A", addSpecialTokens: false);
        foreach (GenerationConfig config in new[] { s_config, s_config with { PromptLookupNumTokens = 3 }, s_config with { DoSample = false, PenaltyAlpha = 0.5, TopK = 3 } })
        {
            StringBuilder all = new(), answer = new();
            using GenerationOutput output = model.Generate(new GenerationInput { InputIds = [prompt], Streamer = new TextStreamer(tokenizer, text => all.Append(text)) }, config, Cancellation);
            model.Generate(new GenerationInput { InputIds = [prompt], Streamer = new TextStreamer(tokenizer, text => answer.Append(text), skipPrompt: true) }, config, Cancellation).Dispose();
            Assert.Equal(tokenizer.Decode([.. output.Sequences[0].Ids], false), all.ToString());
            Assert.Equal(all.ToString()["A prompt. A prompt. A".Length..], answer.ToString());
        }
    }

    [Fact]
    public async Task Leaving_a_stream_ends_generation_and_errors_reach_the_reader()
    {
        PretrainedTokenizer tokenizer = TinyDecoder.LoadTokenizer();
        using CausalLanguageModel model = Model(tokenizer);
        int asked = 0;
        var counted = new GenerationInput { InputIds = [[5]], StoppingCriteria = [(_, _) => { Interlocked.Increment(ref asked); return false; }] };
        await foreach (GeneratedToken _ in model.StreamAsync(counted, s_config with { MaxNewTokens = 100_000 }, Cancellation)) break;
        int after = asked;
        await Task.Delay(50, Cancellation);
        Assert.Equal(after, asked);

        var faulty = new GenerationInput { InputIds = [[5]], StoppingCriteria = [(_, ids) => ids.Length > 3 ? throw new InvalidDataException("mine") : false] };
        await Assert.ThrowsAsync<InvalidDataException>(async () => await model.StreamAsync(faulty, s_config, Cancellation).ToListAsync(Cancellation));
        Assert.Throws<ArgumentException>(() => model.StreamAsync(new GenerationInput { InputIds = [[5], [6]] }, s_config, Cancellation));
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (GeneratedToken _ in model.StreamAsync(new GenerationInput { InputIds = [[5]] }, s_config with { MaxNewTokens = 100_000 }, source.Token)) source.Cancel();
        });
    }

    private static CausalLanguageModel Model(PretrainedTokenizer tokenizer) =>
        new(ModelSamples.Config() with { VocabularySize = tokenizer.VocabularySize, LayerCount = 1, MaxPositions = 512 }, seed: 1);
}
