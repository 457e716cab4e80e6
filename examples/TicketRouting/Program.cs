using System.CommandLine;
using TicketRouting;

var data = new Option<FileInfo?>("--data") { Description = "A table with a header line: tab-separated, or comma-separated where the name ends in .csv. Default: the tickets of this example." };
var label = new Option<string>("--label") { Description = "The column to predict.", DefaultValueFactory = _ => "Queue" };
var template = new Option<string?>("--template") { Description = "How columns become a prompt, such as \"Subject: {Subject}\\n\\n{Body}\" (\\n is a new line). Default: every column but the label, a line each, and the name of the label." };
var model = new Option<DirectoryInfo?>("--model") { Description = "A Hugging Face folder to fine-tune. Default: the tiny decoder that comes with the library." };
var epochs = new Option<int?>("--epochs") { Description = "Passes over the training rows. Default: 4 for the tiny decoder, 3 for a folder." };
var learningRate = new Option<double?>("--learning-rate") { Description = "Default: what suits the model." };
var batchSize = new Option<int>("--batch-size") { Description = "Rows per step.", DefaultValueFactory = _ => 16 };
var output = new Option<FileInfo>("--output") { Description = "Where the model file goes.", DefaultValueFactory = _ => new FileInfo("tickets.zip") };

var command = new RootCommand("Routes support tickets: fine-tunes a decoder language model on a table and compares it with TF-IDF.")
{
    data, label, template, model, epochs, learningRate, batchSize, output,
};
command.SetAction(arguments => new Job(
    arguments.GetValue(data)?.FullName ?? Path.Combine(AppContext.BaseDirectory, "tickets.tsv"),
    arguments.GetValue(label)!,
    arguments.GetValue(template)?.Replace("\\n", "\n"),
    arguments.GetValue(model)?.FullName,
    arguments.GetValue(epochs),
    arguments.GetValue(learningRate),
    arguments.GetValue(batchSize),
    arguments.GetValue(output)!.FullName).Run());
return command.Parse(args).Invoke();
