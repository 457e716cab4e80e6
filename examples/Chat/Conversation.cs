using Microsoft.Extensions.AI;

namespace Chat;

/// <summary>A conversation on the console.</summary>
/// <param name="client">The model.</param>
/// <param name="system">What the model is told before, or null.</param>
/// <param name="options">How it replies.</param>
internal sealed class Conversation(IChatClient client, string? system, ChatOptions options)
{
    private readonly List<ChatMessage> _messages = [];
    private CancellationTokenSource? _reply;
    private bool _isThinking;

    /// <summary>Reads and replies until the input ends.</summary>
    public async Task Run()
    {
        Console.CancelKeyPress += (_, key) =>
        {
            // Between replies it ends the program.
            if (_reply is null) return;
            key.Cancel = true;
            _reply.Cancel();
        };
        Console.WriteLine($"{client.GetService<ChatClientMetadata>()!.DefaultModelId} is ready.");
        Reset();
        while (true)
        {
            Console.Write("> ");
            switch (Console.ReadLine()?.Trim())
            {
                case null or "/exit":
                    return;
                case "":
                    break;
                case "/reset":
                    Reset();
                    Console.WriteLine("A new conversation.");
                    break;
                case { } text:
                    await Reply(text);
                    break;
            }
        }
    }

    private void Reset()
    {
        _messages.Clear();
        if (system is not null) _messages.Add(new ChatMessage(ChatRole.System, system));
    }

    private async Task Reply(string text)
    {
        _messages.Add(new ChatMessage(ChatRole.User, text));
        List<ChatResponseUpdate> updates = [];
        using (_reply = new CancellationTokenSource())
        {
            try
            {
                await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(_messages, options, _reply.Token))
                {
                    updates.Add(update);
                    foreach (AIContent content in update.Contents) Write(content);
                }
            }
            catch (OperationCanceledException)
            {
                // What there is of the reply stays in the conversation.
            }
            catch (ArgumentException problem) when (updates.Count == 0)
            {
                _messages.RemoveAt(_messages.Count - 1);
                Console.Write($"{problem.Message} /reset begins anew.");
            }
        }

        _reply = null;
        Console.WriteLine(_isThinking ? ")" : "");
        _isThinking = false;
        if (updates.Count > 0) _messages.AddMessages(updates);
    }

    /// <summary>Thoughts before an answer are set apart from it by parentheses.</summary>
    private void Write(AIContent content)
    {
        bool isThought = content is TextReasoningContent;
        if (!isThought && content is not TextContent) return;
        if (isThought != _isThinking) Console.Write(isThought ? "(" : ")\n");
        _isThinking = isThought;
        Console.Write(content);
    }
}
