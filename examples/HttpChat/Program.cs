using HttpChat;
using Microsoft.Extensions.AI;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
if (builder.Configuration["model"] is not { Length: > 0 } folder)
{
    Console.Error.WriteLine("There is no model; expected --model FOLDER, a Hugging Face folder of a model that was tuned for conversations.");
    return 1;
}

builder.Services.AddLanguageModel(folder).AddLanguageModelChatClient();
WebApplication app = builder.Build();
IChatClient client = app.Services.GetRequiredService<IChatClient>(); // a folder that cannot be read ends the program here
string model = client.GetService<ChatClientMetadata>()!.DefaultModelId!;
app.MapGet("/v1/models", () => new { @object = "list", data = new[] { new { id = model, @object = "model", owned_by = "local" } } });
app.MapPost("/v1/chat/completions", new CompletionRoute(client, model).Handle);
app.Run();
return 0;
