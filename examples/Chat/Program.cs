using System.CommandLine;
using Chat;
using Microsoft.Extensions.AI;
using MLComponents.Models;
using MLComponents.Tokenization;

var folder = new Argument<DirectoryInfo>("folder") { Description = "A Hugging Face folder of a model that was tuned for conversations." };
var system = new Option<string?>("--system") { Description = "What the model is told before the conversation." };
var temperature = new Option<float?>("--temperature") { Description = "0 for the likeliest reply. Default: what the model's folder says." };
var maxTokens = new Option<int?>("--max-tokens") { Description = "The most tokens of a reply. Default: what the model was made for." };
var seed = new Option<long?>("--seed") { Description = "The same seed gives the same replies." };

var command = new RootCommand("Talks with a language model. /reset begins anew, /exit or the end of the input ends; Ctrl+C ends a reply.")
{
    folder, system, temperature, maxTokens, seed,
};
command.SetAction(arguments =>
{
    try
    {
        using IChatClient client = LanguageModelChatClient.Load(arguments.GetValue(folder)!.FullName);
        var options = new ChatOptions { Temperature = arguments.GetValue(temperature), MaxOutputTokens = arguments.GetValue(maxTokens), Seed = arguments.GetValue(seed) };
        new Conversation(client, arguments.GetValue(system), options).Run().GetAwaiter().GetResult();
        return 0;
    }
    catch (Exception problem) when (problem is IOException or FormatException or ArgumentException or NotSupportedException or ChatTemplateException)
    {
        Console.Error.WriteLine(problem.Message);
        return 1;
    }
});
return command.Parse(args).Invoke();
