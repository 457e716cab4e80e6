using System.Diagnostics;
using System.Globalization;
using MLComponents.Models;
using MLComponents.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace Pretraining;

/// <summary>Learns a vocabulary of 4,096 tokens, then trains a decoder on blocks of running text.</summary>
internal sealed record PretrainingRun(
    IReadOnlyList<string> Own, IReadOnlyList<string> Tickets, IReadOnlyList<string> PublicDomain, string Output, int Steps, int Seed)
{
    private const int Vocabulary = 4096; // special tokens included
    private const int BlockTokens = 256;
    private const int BlocksPerStep = 16;
    private const double PeakLearningRate = 3e-3;
    private const double WeightDecay = 0.1;
    private const int WarmupSteps = 100;
    private const int HeldOutEvery = 50;
    private const int LogEvery = 50;
    private const int HeldOutBlocks = 64;

    public int Run()
    {
        Directory.CreateDirectory(Output);
        List<string> own = [.. Own, .. Tickets];
        List<string> heldOut = [.. own.Where((_, index) => index % HeldOutEvery == 0)];
        own = [.. own.Where((_, index) => index % HeldOutEvery != 0)];
        Console.WriteLine($"own text {own.Sum(t => t.Length) / 1e6:F2} M characters in {own.Count} documents ({heldOut.Count} more held out), public domain {PublicDomain.Sum(t => t.Length) / 1e6:F2} M in {PublicDomain.Count}");

        var random = new Random(Seed);
        new ByteLevelBpeTrainer(Vocabulary).Train(Corpus.Pass(own, PublicDomain, random)).Save(Output);
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(Output);
        DecoderConfig config = DecoderConfig.Load(Path.Combine(AppContext.BaseDirectory, "config.json"));
        if (config.VocabularySize != tokenizer.VocabularySize)
            throw new InvalidOperationException($"config.json has a vocabulary of {config.VocabularySize}, the tokenizer {tokenizer.VocabularySize}.");

        using var model = new CausalLanguageModel(config, Seed, ScalarType.BFloat16);
        Console.WriteLine($"{model.ParameterCount / 1e6:F2} M parameters");
        using var optimizer = new FusedAdamW(
            [
                new ParameterGroup([.. model.named_parameters().Where(p => p.parameter.ndim > 1).Select(p => p.parameter)], WeightDecay),
                new ParameterGroup([.. model.named_parameters().Where(p => p.parameter.ndim == 1).Select(p => p.parameter)], 0),
            ], masterWeights: true, beta2: 0.95);
        using var blocks = Blocks(tokenizer, own, random).GetEnumerator();
        long[][] check = [.. Cut(tokenizer, heldOut).Take(HeldOutBlocks)];
        using var log = new StreamWriter(Path.Combine(Output, "training-log.tsv")) { AutoFlush = true };
        log.WriteLine("step\ttokens\tlearning rate\ttraining loss\theld-out loss (own text)\tseconds");
        var clock = Stopwatch.StartNew();
        double loss = 0;
        for (int step = 0; step < Steps; step++)
        {
            double rate = PeakLearningRate * Math.Min((step + 1.0) / WarmupSteps, 0.05 + 0.475 * (1 + Math.Cos(Math.PI * step / Steps)));
            loss += Step(model, optimizer, blocks, rate) / LogEvery;
            if ((step + 1) % LogEvery != 0) continue;
            string line = string.Create(CultureInfo.InvariantCulture, $"{step + 1}\t{(step + 1L) * BlockTokens * BlocksPerStep}\t{rate:G3}\t{loss:F4}\t{HeldOutLoss(model, check):F4}\t{clock.Elapsed.TotalSeconds:F0}");
            log.WriteLine(line);
            Console.WriteLine(line);
            loss = 0;
        }

        model.Save(Output, ScalarType.BFloat16);
        Console.WriteLine($"wrote {Output}: {new FileInfo(Path.Combine(Output, "model.safetensors")).Length / 1e6:F1} MB");
        return 0;
    }

    private static double Step(CausalLanguageModel model, FusedAdamW optimizer, IEnumerator<long[]> blocks, double rate)
    {
        using var scope = NewDisposeScope();
        var rows = new long[BlocksPerStep * BlockTokens];
        for (int row = 0; row < BlocksPerStep; row++)
        {
            blocks.MoveNext();
            blocks.Current.CopyTo(rows, row * BlockTokens);
        }

        Tensor ids = tensor(rows).view(BlocksPerStep, BlockTokens);
        Tensor loss = model.Loss(new DecoderInput { InputIds = ids }, ids);
        loss.backward();
        optimizer.Step(rate, Math.Min(1, 1 / (optimizer.GradientNorm() + 1e-6)));
        optimizer.ZeroGradients();
        return loss.ToDouble();
    }

    private static double HeldOutLoss(CausalLanguageModel model, long[][] blocks)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        return blocks.Chunk(BlocksPerStep).Average(chunk =>
        {
            Tensor ids = tensor(chunk.SelectMany(block => block).ToArray()).view(chunk.Length, BlockTokens);
            return model.Loss(new DecoderInput { InputIds = ids }, ids).ToDouble();
        });
    }

    /// <summary>Blocks without end: pass after pass, each in another order.</summary>
    private IEnumerable<long[]> Blocks(PretrainedTokenizer tokenizer, IReadOnlyList<string> own, Random random)
    {
        while (true)
        {
            long[][] pass = [.. Cut(tokenizer, Corpus.Pass(own, PublicDomain, random))];
            random.Shuffle(pass);
            foreach (long[] block in pass) yield return block;
        }
    }

    /// <summary>Documents one after the other, an end-of-text token behind each, cut into blocks; what is left over is dropped.</summary>
    private static IEnumerable<long[]> Cut(PretrainedTokenizer tokenizer, IEnumerable<string> documents)
    {
        var pending = new List<long>();
        foreach (string document in documents)
        {
            pending.AddRange(tokenizer.EncodeIds(document).Select(id => (long)id));
            pending.Add(tokenizer.EosTokenId!.Value);
            int start = 0;
            for (; start + BlockTokens <= pending.Count; start += BlockTokens) yield return [.. pending.GetRange(start, BlockTokens)];
            pending.RemoveRange(0, start);
        }
    }
}
