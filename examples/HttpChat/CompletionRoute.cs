using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;
using MLComponents.Tokenization;

namespace HttpChat;

/// <summary>Answers POST /v1/chat/completions, all at once or as server-sent events. A caller who leaves ends generation.</summary>
/// <param name="client">The model.</param>
/// <param name="model">Its name.</param>
internal sealed class CompletionRoute(IChatClient client, string model)
{
    /// <summary>How JSON is written and read here.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Answers a request.</summary>
    public async Task Handle(HttpContext context)
    {
        try
        {
            CompletionRequest request = await JsonSerializer.DeserializeAsync<CompletionRequest>(context.Request.Body, Json, context.RequestAborted)
                ?? throw new ArgumentException("The body is null; expected an object.");
            if (request.Model is { } asked && asked != model)
            {
                await Refuse(context, StatusCodes.Status404NotFound, "model_not_found", $"There is no model '{asked}'; this server has '{model}'.");
                return;
            }

            // What cannot be done is refused here, before anything is written.
            IAsyncEnumerable<ChatResponseUpdate> reply = client.GetStreamingResponseAsync(request.ToMessages(), request.ToOptions(), context.RequestAborted);
            if (request.Stream) await Stream(context, reply, request.StreamOptions?.IncludeUsage == true);
            else await context.Response.WriteAsJsonAsync(Whole(await reply.ToChatResponseAsync(context.RequestAborted)), Json, context.RequestAborted);
        }
        catch (Exception problem) when (!context.Response.HasStarted
            && problem is JsonException or ArgumentException or NotSupportedException or FormatException or ChatTemplateException or BadHttpRequestException)
        {
            await Refuse(context, StatusCodes.Status400BadRequest, "invalid_request", problem.Message);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // There is nobody to answer to.
        }
    }

    private static Task Refuse(HttpContext context, int status, string code, string message)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new { error = new { message, type = "invalid_request_error", code } }, Json, context.RequestAborted);
    }

    private JsonObject Whole(ChatResponse response)
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = response.Text };
        AIContent[] contents = [.. response.Messages.SelectMany(static message => message.Contents)];
        if (ThoughtOf(contents) is { Length: > 0 } thought) message["reasoning_content"] = thought;
        FunctionCallContent[] calls = [.. contents.OfType<FunctionCallContent>()];
        if (calls.Length > 0) message["tool_calls"] = Calls(calls, 0, isStream: false);
        JsonObject body = Envelope("chat.completion", response.ResponseId, response.CreatedAt, new JsonObject { ["index"] = 0, ["message"] = message, ["finish_reason"] = response.FinishReason?.Value });
        body["usage"] = Usage(response.Usage);
        return body;
    }

    private async Task Stream(HttpContext context, IAsyncEnumerable<ChatResponseUpdate> reply, bool includeUsage)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        int calls = 0;
        bool hasBegun = false;
        await foreach (ChatResponseUpdate update in reply)
        {
            var delta = new JsonObject();
            if (!hasBegun) delta["role"] = "assistant";
            hasBegun = true;
            if (update.Text.Length > 0) delta["content"] = update.Text;
            if (ThoughtOf(update.Contents) is { Length: > 0 } thought) delta["reasoning_content"] = thought;
            FunctionCallContent[] called = [.. update.Contents.OfType<FunctionCallContent>()];
            if (called.Length > 0) delta["tool_calls"] = Calls(called, calls, isStream: true);
            calls += called.Length;
            await Event(context, Envelope(
                "chat.completion.chunk", update.ResponseId, update.CreatedAt, new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = update.FinishReason?.Value }).ToJsonString(Json));
            if (!includeUsage || update.Contents.OfType<UsageContent>().FirstOrDefault() is not { } usage) continue;
            JsonObject counts = Envelope("chat.completion.chunk", update.ResponseId, update.CreatedAt);
            counts["usage"] = Usage(usage.Details);
            await Event(context, counts.ToJsonString(Json));
        }

        await Event(context, "[DONE]");
    }

    /// <summary>What the model thinks before it answers, under the name that servers of such models give it.</summary>
    private static string ThoughtOf(IEnumerable<AIContent> contents) => string.Concat(contents.OfType<TextReasoningContent>().Select(static content => content.Text));

    private static async Task Event(HttpContext context, string data)
    {
        await context.Response.WriteAsync($"data: {data}\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private JsonObject Envelope(string kind, string? id, DateTimeOffset? created, params JsonNode[] choices) => new()
    {
        ["id"] = id,
        ["object"] = kind,
        ["created"] = created?.ToUnixTimeSeconds(),
        ["model"] = model,
        ["choices"] = new JsonArray(choices),
    };

    private static JsonArray Calls(FunctionCallContent[] calls, int first, bool isStream) => [.. calls.Select((call, index) =>
    {
        var written = new JsonObject
        {
            ["id"] = call.CallId,
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = JsonSerializer.Serialize(call.Arguments, Json) },
        };
        if (isStream) written["index"] = first + index;
        return written;
    })];

    private static JsonObject Usage(UsageDetails? usage) => new()
    {
        ["prompt_tokens"] = usage?.InputTokenCount,
        ["completion_tokens"] = usage?.OutputTokenCount,
        ["total_tokens"] = usage?.TotalTokenCount,
        ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = usage?.CachedInputTokenCount },
    };
}
