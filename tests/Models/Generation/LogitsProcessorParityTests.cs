using System.Text.Json;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Each processor alone on fixed scores, against what the reference's gives.</summary>
public class LogitsProcessorParityTests
{
    private const string Folder = "logits-processors";
    private const int Vocabulary = 40;

    public static IEnumerable<TheoryDataRow<string>> Cases()
    {
        if (!File.Exists(ParityFolder.PathOf(Folder, "expected.safetensors"))) yield break;
        using SafetensorsFile tensors = SafetensorsFile.Open(ParityFolder.PathOf(Folder, "expected.safetensors"));
        foreach (string name in tensors.Names.Where(name => name.StartsWith("out.", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            yield return new TheoryDataRow<string>(name[4..]) { TestDisplayName = $"{Folder}: {name[4..]}" };
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Processed_scores_are_the_references(string name)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile tensors = SafetensorsFile.Open(ParityFolder.PathOf(Folder, "expected.safetensors"));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(ParityFolder.PathOf(Folder, "params.json")));
        int[][] ids = GenerationFixture.Rows(tensors.Read("input_ids"));
        Tensor scores = tensors.Read("scores");
        long[] firstReal = tensors.Read("prompt_ignore_length").to(ScalarType.Int64).data<long>().ToArray();
        LogitsProcessor processor = Make(name, json.RootElement);

        for (int row = 0; row < ids.Length; row++)
        {
            float[] own = scores[row].data<float>().ToArray();
            processor.Process(ContextOf(name, ids[row], (int)firstReal[row]), own);
            float[] expected = tensors.Read($"out.{name}")[row].data<float>().ToArray();
            for (int id = 0; id < Vocabulary; id++) Assert.True(Same(expected[id], own[id]), $"row {row}, id {id}: expected {expected[id]}, found {own[id]}");
        }
    }

    // Two units in the last place where a logarithm or a power is computed, and the same bits everywhere else.
    private static bool Same(float expected, float actual) => expected == actual || Math.Abs(expected - actual) <= 2.5e-7f * Math.Max(1, Math.Abs(expected));

    /// <summary>The row as the fixture describes it.</summary>
    private static LogitsContext ContextOf(string name, int[] ids, int firstReal) => name switch
    {
        "enc_repetition_1.3" => new LogitsContext { Ids = ids, PromptLength = 6 },
        "enc_no_repeat_2" => new LogitsContext { Ids = (int[])[.. ids.Reverse(), .. ids], PromptLength = ids.Length },
        "min_new_5" or "exp_decay" => new LogitsContext { Ids = ids, PromptLength = 6 },
        "begin_suppress" => new LogitsContext { Ids = ids, PromptLength = 9 },
        "repetition_left_padding_1.3" => new LogitsContext { Ids = ids, PromptLength = ids.Length, PaddingLength = firstReal },
        "forced_bos_len1" => new LogitsContext { Ids = ids.AsSpan(0, 1), PromptLength = 1 },
        _ => new LogitsContext { Ids = ids, PromptLength = ids.Length },
    };

    private static LogitsProcessor Make(string name, JsonElement parameters)
    {
        int[] eos = [.. parameters.GetProperty("eos").EnumerateArray().Select(id => id.GetInt32())];
        return name switch
        {
            "bad_words" => SequenceBiasProcessor.BadWords(
                [.. parameters.GetProperty("bad_words").EnumerateArray().Select(word => (IReadOnlyList<int>)[.. word.EnumerateArray().Select(id => id.GetInt32())])], eos, Vocabulary),
            "sequence_bias" => new SequenceBiasProcessor(
                [.. parameters.GetProperty("sequence_bias").EnumerateArray().Select(pair =>
                    new SequenceBias { Ids = [.. pair[0].EnumerateArray().Select(id => id.GetInt32())], Bias = pair[1].GetDouble() })],
                Vocabulary),
            "begin_suppress" => new SuppressTokensProcessor([1, 4], at: 0),
            "suppress" => new SuppressTokensProcessor([1, 4]),
            "enc_no_repeat_2" => NoRepeatNGramProcessor.OfPrompt(2),
            "no_repeat_ngram_2" => NoRepeatNGramProcessor.OfRow(2),
            "no_repeat_ngram_3" => NoRepeatNGramProcessor.OfRow(3),
            "enc_repetition_1.3" => RepetitionPenaltyProcessor.OfPrompt(1.3),
            "repetition_1.3" or "repetition_left_padding_1.3" => RepetitionPenaltyProcessor.OfRow(1.3),
            "epsilon_0.02" => CutoffProcessor.Epsilon(0.02),
            "eta_0.02" => CutoffProcessor.Eta(0.02),
            "exp_decay" => new ExponentialDecayProcessor(new ExponentialDecay(1, 1.2), eos),
            "forced_bos" or "forced_bos_len1" => new ForcedTokenProcessor(1, [3]),
            "forced_eos" => new ForcedTokenProcessor(9, eos),
            "min_length_12" => new MinLengthProcessor(12, ofNewTokens: false, eos),
            "min_new_5" => new MinLengthProcessor(5, ofNewTokens: true, eos),
            "min_p_0.1" => new MinPProcessor(0.1),
            "renormalize" => new RenormalizeProcessor(),
            "temperature_0.7" => new TemperatureProcessor(0.7),
            "top_h_0.5" => new TopHProcessor(0.5),
            "top_k_5" => new TopKProcessor(5),
            "top_p_0.6" => new TopPProcessor(0.6),
            "top_p_0.9_keep3" => new TopPProcessor(0.9, 3),
            "typical_0.7" => new TypicalPProcessor(0.7),
            _ => throw new InvalidDataException($"The processor {name} is not known."),
        };
    }
}
