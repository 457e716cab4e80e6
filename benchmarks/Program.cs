using System.CommandLine;
using MLComponents.Benchmarks;
using MLComponents.Models;
using MLComponents.Trainers;
using static TorchSharp.torch;

var model = new Argument<string>("model") { Description = "A Hugging Face folder, or 'tiny' for the decoder that comes with the library." };
var data = new Option<string>("--data") { Description = "SMSSpamCollection (label, tab, text), or tickets.tsv.", Required = true };
var rows = new Option<int>("--rows") { DefaultValueFactory = _ => 10_000, Description = "Rows through Transform." };
var slowRows = new Option<int>("--slow-rows") { DefaultValueFactory = _ => 1_000, Description = "Rows for the slower ways." };
var skip = new Option<string[]>("--skip") { DefaultValueFactory = _ => [], Description = "Variants to leave out.", AllowMultipleArgumentsPerToken = true };
var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 3, Description = "Times that every variant runs." };
var epochs = new Option<int>("--epochs") { DefaultValueFactory = _ => 2, Description = "Epochs." };
var batch = new Option<int>("--batch-size") { DefaultValueFactory = _ => 8, Description = "Rows per step." };
var rate = new Option<double?>("--learning-rate") { Description = "Default: what suits the model." };
var seeds = new Option<int[]>("--seeds") { DefaultValueFactory = _ => [123], Description = "One run each.", AllowMultipleArgumentsPerToken = true };
var precision = new Option<Precision>("--precision") { DefaultValueFactory = _ => Precision.BFloat16, Description = "BFloat16 or Float32." };

string? Folder(ParseResult arguments) => arguments.GetValue(model) is "tiny" ? null : arguments.GetValue(model);

var tokens = new Option<int>("--tokens") { DefaultValueFactory = _ => 64, Description = "Tokens of each row." };
var stepRows = new Option<int>("--rows") { DefaultValueFactory = _ => 16, Description = "Rows." };
var steps = new Option<int>("--steps") { DefaultValueFactory = _ => 3, Description = "Steps of each run, of which the fastest counts." };
var threads = new Option<int>("--threads") { DefaultValueFactory = _ => Environment.ProcessorCount, Description = "Threads; with 1, processor time is a fair measure beside other work." };
var step = new Command("training-step", "One training step, the library's against plain TorchSharp.") { model, skip, rounds, stepRows, tokens, steps, threads };
step.SetAction(arguments => TrainingStep.Compare(
    arguments.GetValue(model)!, arguments.GetValue(stepRows), arguments.GetValue(tokens), arguments.GetValue(steps), arguments.GetValue(rounds), arguments.GetValue(threads), arguments.GetValue(skip)!));

var mixedRows = new Option<int>("--rows") { DefaultValueFactory = _ => 32, Description = "Texts." };
var mixed = new Command("mixed-lengths", "The gradients of a batch of texts of mixed lengths, padded or laid out behind each other.") { model, mixedRows, rounds, threads, precision };
mixed.SetAction(arguments => MixedLengths.Compare(
    arguments.GetValue(model)!, arguments.GetValue(mixedRows), arguments.GetValue(rounds), arguments.GetValue(threads),
    arguments.GetValue(precision) == Precision.Float32 ? ScalarType.Float32 : ScalarType.BFloat16));

var frozenRows = new Option<int>("--rows") { DefaultValueFactory = _ => 96, Description = "Messages to train on." };
var lastLayers = new Option<int>("--last-layers") { DefaultValueFactory = _ => 4, Description = "Layers that are trained beside the head; 0 for the head alone." };
var frozen = new Command("frozen-layers", "Training the last layers alone, the others run in every step or once per row.") { model, data, frozenRows, lastLayers, epochs, threads, precision };
frozen.SetAction(arguments => FrozenLayers.Compare(
    Folder(arguments), arguments.GetValue(data)!, arguments.GetValue(frozenRows), arguments.GetValue(lastLayers), arguments.GetValue(epochs), arguments.GetValue(threads), arguments.GetValue(precision)));

var variant = new Argument<string>("variant");
var sizes = new Argument<int[]>("sizes") { Description = "Rows, tokens, steps, threads.", Arity = new ArgumentArity(4, 4) };
var one = new Command("training-step-variant", "One variant of training-step, in this process.") { variant, model, sizes };
one.SetAction(arguments => TrainingStep.Run(
    arguments.GetValue(variant)!, arguments.GetValue(model)!, arguments.GetValue(sizes)![0], arguments.GetValue(sizes)![1], arguments.GetValue(sizes)![2], arguments.GetValue(sizes)![3]));

var optimizers = new Command("optimizers", "The step of every optimizer over a model's weights, beside TorchSharp's AdamW.") { model, rounds, threads };
optimizers.SetAction(arguments => OptimizerStep.Compare(arguments.GetValue(model)!, arguments.GetValue(rounds), arguments.GetValue(threads)));

var contexts = new Option<int[]>("--tokens") { DefaultValueFactory = _ => [256, 512, 1024, 2048], Description = "Tokens of the row.", AllowMultipleArgumentsPerToken = true };
var plot = new Option<string?>("--plot") { Description = "A file that takes the figures as a drawing (SVG)." };
var attention = new Command("attention", "Eager against fused attention, training and inference, time and memory by number of tokens.") { contexts, steps, rounds, threads, plot };
attention.SetAction(arguments => AttentionTable.Compare(arguments.GetValue(contexts)!, arguments.GetValue(steps), arguments.GetValue(rounds), arguments.GetValue(threads), arguments.GetValue(plot)));

var figurePrecision = new Argument<Precision>("precision");
var implementation = new Argument<AttentionImplementation>("implementation");
var trains = new Argument<bool>("trains");
var figureSizes = new Argument<int[]>("sizes") { Description = "Tokens, steps, threads.", Arity = new ArgumentArity(3, 3) };
var figure = new Command("attention-variant", "One figure of attention, in this process.") { figurePrecision, implementation, trains, figureSizes };
figure.SetAction(arguments => AttentionTable.Run(
    arguments.GetValue(figurePrecision), arguments.GetValue(implementation), arguments.GetValue(trains), arguments.GetValue(figureSizes)![0], arguments.GetValue(figureSizes)![1],
    arguments.GetValue(figureSizes)![2]));

var scoring = new Command("scoring", "Scoring short texts through Transform.") { model, data, rows, slowRows };
scoring.SetAction(arguments => Scoring.Run(Folder(arguments), arguments.GetValue(data)!, arguments.GetValue(rows), arguments.GetValue(slowRows)));

var spam = new Command("sms-spam", "Fine-tuning on the SMS spam collection.") { model, data, epochs, batch, rate, seeds, precision };
spam.SetAction(arguments => SmsSpam.Run(Folder(arguments), arguments.GetValue(data)!, arguments.GetValue(seeds)!, new SequenceClassificationOptions
{
    Epochs = arguments.GetValue(epochs), BatchSize = arguments.GetValue(batch), LearningRate = arguments.GetValue(rate), Precision = arguments.GetValue(precision), MaxLength = 128,
}));

var template = new Option<string>("--template") { DefaultValueFactory = _ => "Product: {Product}\\nChannel: {Channel}\\nPlan: {Plan}\\nSubject: {Subject}\\n\\n{Body}", Description = "The prompt; \\n is a new line." };
var decay = new Option<double>("--weight-decay") { DefaultValueFactory = _ => 0.01, Description = "Decoupled weight decay." };
var tickets = new Command("tickets", "Fine-tuning on the tickets of examples/TicketRouting, beside TF-IDF.") { model, data, epochs, batch, rate, seeds, template, decay };
tickets.SetAction(arguments => Tickets.Run(Folder(arguments), arguments.GetValue(data)!, arguments.GetValue(template)!.Replace("\\n", "\n"), arguments.GetValue(seeds)!, new SequenceClassificationOptions
{
    Epochs = arguments.GetValue(epochs), BatchSize = arguments.GetValue(batch), LearningRate = arguments.GetValue(rate), WeightDecay = arguments.GetValue(decay),
}));

var task = new Argument<string>("task") { Description = string.Join(", ", QualityTask.All.Select(known => known.Name)) };
var folders = new Option<string>("--data") { Description = "The folder with a folder for each data set.", Required = true };
var trainRows = new Option<int>("--rows") { DefaultValueFactory = _ => int.MaxValue, Description = "Most rows to train on." };
var maxLength = new Option<int?>("--max-length") { Description = "Most tokens of a text." };
var lora = new Option<int?>("--lora-rank") { Description = "Trains an adapter of this rank on all linear layers instead." };
var update = new Option<WeightUpdate>("--weight-update") { DefaultValueFactory = _ => WeightUpdate.MasterWeights, Description = "MasterWeights or StochasticRounding." };
var quality = new Command("quality", "Fine-tuning on a public data set, beside what a user of ML.NET would train instead.") { task, model, folders, trainRows, maxLength, lora, update, epochs, batch, rate, seeds, precision };
task.AcceptOnlyFromAmong([.. QualityTask.All.Select(known => known.Name)]);
quality.SetAction(arguments => QualityTask.All.Single(known => known.Name == arguments.GetValue(task)).Run(arguments.GetValue(seeds)!.Select(seed => new QualityRun(
    Folder(arguments), arguments.GetValue(folders)!, seed, arguments.GetValue(trainRows), arguments.GetValue(epochs), arguments.GetValue(batch), arguments.GetValue(rate), arguments.GetValue(maxLength),
    arguments.GetValue(lora), arguments.GetValue(update), arguments.GetValue(precision)))));

var tokenizers = new Argument<string[]>("tokenizers") { Description = "tokenizer.json files or their folders.", Arity = ArgumentArity.OneOrMore };
var corpora = new Option<string>("--corpora") { Description = "A folder with input.txt files and .zip files of texts.", Required = true };
var tokenization = new Command("tokenization", "Loading tokenizers and encoding texts, beside Microsoft.ML.Tokenizers.") { tokenizers, corpora, rounds };
tokenization.SetAction(arguments => TokenizationSpeed.Run(arguments.GetValue(tokenizers)!, arguments.GetValue(corpora)!, arguments.GetValue(rounds)));

var templates = new Argument<string[]>("templates") { Description = ".jinja files.", Arity = ArgumentArity.OneOrMore };
var conversation = new Option<int>("--messages") { DefaultValueFactory = _ => 100, Description = "Messages of the conversation." };
var chat = new Command("chat-templates", "Compiling chat templates and rendering a conversation.") { templates, conversation, rounds };
chat.SetAction(arguments => ChatTemplateSpeed.Run(arguments.GetValue(templates)!, arguments.GetValue(conversation), arguments.GetValue(rounds)));

var gigabytes = new Option<double>("--gigabytes") { DefaultValueFactory = _ => 1.5, Description = "The size of each file; there are four." };
var cold = new Option<bool>("--cold") { Description = "Drop the file from the system's cache before every run." };
var scratch = new Option<string>("--folder") { DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "mlcomponents-loading"), Description = "Where the files are made, and deleted." };
var loading = new Command("loading", "Loading a model from files of every kind, against reading them.") { gigabytes, rounds, cold, scratch };
loading.SetAction(arguments => Loading.Compare(arguments.GetValue(scratch)!, arguments.GetValue(gigabytes), arguments.GetValue(rounds), arguments.GetValue(cold)));

var loadVariant = new Argument<string>("variant");
var loadFolder = new Argument<string>("folder");
var isCold = new Argument<bool>("cold");
var oneLoad = new Command("loading-variant", "One variant of loading, in this process.") { loadVariant, loadFolder, isCold };
oneLoad.SetAction(arguments => Loading.Run(arguments.GetValue(loadVariant)!, arguments.GetValue(loadFolder)!, arguments.GetValue(isCold)));

var rowsAtOnce = new Option<int>("--rows") { DefaultValueFactory = _ => 1, Description = "Rows at once." };
var lengths = new Option<int[]>("--lengths") { DefaultValueFactory = _ => [128, 1024, 4096], Description = "Cached tokens when measuring begins.", AllowMultipleArgumentsPerToken = true };
var measured = new Option<int>("--tokens") { DefaultValueFactory = _ => 32, Description = "Tokens measured at each length." };
var decoding = new Command("decoding", "Token by token with a cache; random weights of the shapes that config.json says.") { model, rowsAtOnce, lengths, measured, precision };
decoding.SetAction(arguments => Decoding.Run(
    arguments.GetValue(model)!, arguments.GetValue(rowsAtOnce), arguments.GetValue(lengths)!, arguments.GetValue(measured),
    arguments.GetValue(precision) == Precision.Float32 ? ScalarType.Float32 : ScalarType.BFloat16));

var column = new Option<int>("--rows") { DefaultValueFactory = _ => 1_000, Description = "Rows of the column." };
var oneByOne = new Option<int>("--slow-rows") { DefaultValueFactory = _ => 100, Description = "Rows one at a time." };
var newTokens = new Option<int>("--tokens") { DefaultValueFactory = _ => 32, Description = "New tokens of each row." };
var atATime = new Option<int[]>("--batch-sizes") { DefaultValueFactory = _ => [16, 32], Description = "Texts in the making at a time.", AllowMultipleArgumentsPerToken = true };
var generation = new Command("generation-column", "A column of generated texts, against one row at a time.") { model, column, oneByOne, newTokens, atATime, precision };
generation.SetAction(arguments => GenerationColumn.Run(
    arguments.GetValue(model)!, arguments.GetValue(column), Math.Min(arguments.GetValue(column), arguments.GetValue(oneByOne)), arguments.GetValue(newTokens), arguments.GetValue(atATime)!,
    arguments.GetValue(precision) == Precision.Float32 ? ScalarType.Float32 : ScalarType.BFloat16));

var peer = new Option<string[]>("--peer") { DefaultValueFactory = _ => [], Description = "llama.cpp beside it: the built benchmarks/Peers .dll, a .gguf file of the same model, and where to keep that in bfloat16.", AllowMultipleArgumentsPerToken = true };
var speed = new Command("decoding-speed", "Token by token, beside what memory and matrix products allow.") { model, rounds, peer };
speed.SetAction(arguments => DecodingSpeed.Compare(arguments.GetValue(model)!, arguments.GetValue(rounds), arguments.GetValue(peer)!));

var prompts = new Command("prompt-speed", "Reading prompts by the fused kernels and by forward passes.") { model, contexts, rounds };
prompts.SetAction(arguments => DecodingSpeed.ComparePrompts(arguments.GetValue(model)!, arguments.GetValue(contexts)!, arguments.GetValue(rounds)));

var speedVariant = new Argument<int>("variant");
var oneSpeed = new Command("decoding-speed-variant", "One variant of decoding-speed's forward passes, in this process.") { speedVariant, model };
oneSpeed.SetAction(arguments => DecodingSpeed.RunVariant(arguments.GetValue(speedVariant), arguments.GetValue(model)!));

return new RootCommand("Whole-job measurements; results are kept in benchmarks/README.md.") { step, one, mixed, frozen, optimizers, attention, figure, scoring, decoding, speed, prompts, oneSpeed, generation, spam, tickets, quality, tokenization, chat, loading, oneLoad }.Parse(args).Invoke();
