using System.CommandLine;
using Pretraining;

string repository = FindRepository();
var corpora = new Option<DirectoryInfo>("--corpora") { Description = "The folder of public-domain texts.", DefaultValueFactory = _ => new DirectoryInfo(Path.Combine(repository, "..", "shared", "data", "corpora")) };
var output = new Option<DirectoryInfo>("--output") { Description = "Where the model folder goes.", DefaultValueFactory = _ => new DirectoryInfo("tiny-decoder") };
var steps = new Option<int>("--steps") { Description = "Updates of the weights.", DefaultValueFactory = _ => 2000 };
var seed = new Option<int>("--seed") { Description = "Of weights and shuffling.", DefaultValueFactory = _ => 1 };

var command = new RootCommand("Makes the tiny decoder that comes with the library: learns a tokenizer, then to continue text, from scratch.") { corpora, output, steps, seed };
command.SetAction(arguments => new PretrainingRun(
    Corpus.Own(Path.Combine(repository, "examples", "Pretraining", "corpus")),
    Corpus.Tickets(Path.Combine(repository, "examples", "TicketRouting", "tickets.tsv")),
    Corpus.PublicDomain(arguments.GetValue(corpora)!.FullName),
    arguments.GetValue(output)!.FullName, arguments.GetValue(steps), arguments.GetValue(seed)).Run());
return command.Parse(args).Invoke();

static string FindRepository()
{
    for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        if (File.Exists(Path.Combine(folder.FullName, "MLComponents.sln"))) return folder.FullName;
    throw new DirectoryNotFoundException("Run this from a checkout of MLComponents: its texts are in the repository.");
}
