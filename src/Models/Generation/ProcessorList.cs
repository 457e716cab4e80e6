namespace MLComponents.Models;

/// <summary>The processors that a configuration asks for, in the reference's order.</summary>
internal static class ProcessorList
{
    public static LogitsProcessor[] Of(GenerationSettings settings, GenerationInput input, Prompts prompts, DecoderConfig model)
    {
        GenerationConfig config = settings.Config;
        List<LogitsProcessor> list = [];
        if (config.SequenceBias is { Count: > 0 } biases) list.Add(new SequenceBiasProcessor(biases, model.VocabularySize));
        if (settings.BeamGroupCount > 1 && config.DiversityPenalty is > 0 and { } diversity) list.Add(new HammingDiversityProcessor(diversity));
        if (config.EncoderRepetitionPenalty is { } ofPrompt and not 1) list.Add(RepetitionPenaltyProcessor.OfPrompt(ofPrompt));
        if (config.RepetitionPenalty is { } penalty and not 1) list.Add(RepetitionPenaltyProcessor.OfRow(penalty));
        if (config.NoRepeatNgramSize is { } size and not 0) list.Add(NoRepeatNGramProcessor.OfRow(size));
        if (config.EncoderNoRepeatNgramSize is { } sizeOfPrompt and not 0) list.Add(NoRepeatNGramProcessor.OfPrompt(sizeOfPrompt));
        if (config.BadWordsIds is { Count: > 0 } badWords) list.Add(SequenceBiasProcessor.BadWords(badWords, settings.EosIds, model.VocabularySize));
        if (settings.MinLength > 0 && settings.EosIds.Length > 0) list.Add(new MinLengthProcessor(settings.MinLength, ofNewTokens: false, settings.EosIds));
        if (config.MinNewTokens is > 0 and { } minNew && settings.EosIds.Length > 0) list.Add(new MinLengthProcessor(minNew, ofNewTokens: true, settings.EosIds));
        if (input.Constraint is { } constraint) list.Add(new ConstraintProcessor(constraint, settings.MaxLength, settings.EosIds));
        if (input.AllowedTokens is { } allowed) list.Add(new AllowedTokensProcessor(allowed));
        if (config.ForcedBosTokenId is { } bos) list.Add(new ForcedTokenProcessor(1, [bos]));
        if (config.ForcedEosTokenIds is { } eos) list.Add(new ForcedTokenProcessor(settings.MaxLength - 1, eos));
        if (config.RemoveInvalidValues == true) list.Add(new RemoveInvalidProcessor());
        if (config.ExponentialDecayLengthPenalty is { } decay) list.Add(new ExponentialDecayProcessor(decay, settings.EosIds));
        if (config.SuppressTokens is { } suppressed) list.Add(new SuppressTokensProcessor(suppressed));
        if (config.BeginSuppressTokens is { } atBegin)
            list.Add(new SuppressTokensProcessor(atBegin, at: prompts.Length > 1 || config.ForcedBosTokenId is null ? 0 : 1));
        list.AddRange(input.LogitsProcessors);
        if (settings.DoSample) AddSampling(list, settings);
        if (config.Watermark is { } watermark) list.Add(new WatermarkProcessor(watermark, model.VocabularySize));
        if (config.RenormalizeLogits == true) list.Add(new RenormalizeProcessor());
        return [.. list];
    }

    private static void AddSampling(List<LogitsProcessor> list, GenerationSettings settings)
    {
        GenerationConfig config = settings.Config;

        // With beams, one more than can end, so that each beam can go on.
        int kept = settings.BeamCount == 1 ? 1 : settings.EosIds.Length > 0 ? settings.EosIds.Length + 1 : 2;
        if (config.Temperature is { } temperature and not 1) list.Add(new TemperatureProcessor(temperature));
        if (config.TopH is { } topH) list.Add(new TopHProcessor(topH));
        if (settings.TopK != 0) list.Add(new TopKProcessor(settings.TopK, kept));
        if (config.TopP is { } topP and not 1) list.Add(new TopPProcessor(topP, kept));
        if (config.MinP is { } minP) list.Add(new MinPProcessor(minP, kept));
        if (config.TypicalP is { } typicalP and not 1) list.Add(new TypicalPProcessor(typicalP, kept));
        if (config.EpsilonCutoff is { } epsilon and not 0) list.Add(CutoffProcessor.Epsilon(epsilon, kept));
        if (config.EtaCutoff is { } eta and not 0) list.Add(CutoffProcessor.Eta(eta, kept));
    }
}
