using System.Runtime.CompilerServices;
using MLComponents.Tokenization;
using Microsoft.Extensions.AI;
using TorchSharp;

namespace MLComponents.Models;

/// <summary>
/// A language model behind the interface that .NET has for chats. Any number of threads may use one client, and any number of clients one model; the model must not
/// change meanwhile.
/// </summary>
/// <remarks>
/// <para>
/// Everything in <see cref="ChatOptions"/> is followed or refused: nothing is left out silently. <see cref="ChatOptions.AdditionalProperties"/> takes the keys of a
/// <c>generation_config.json</c>, such as <c>min_p</c>, and <c>chat_template_kwargs</c>, variables of the chat template;
/// <see cref="ChatOptions.RawRepresentationFactory"/> may give a <see cref="GenerationConfig"/>. A temperature of 0 takes the likeliest token, any other draws; without
/// one the model's own configuration says which.
/// </para>
/// <para>Without <see cref="ChatOptions.MaxOutputTokens"/> a reply may fill what the model was made for.</para>
/// </remarks>
public sealed class LanguageModelChatClient : IChatClient
{
    private readonly ReplyConstraints _constraints;
    private readonly bool _ownsModel;
    private bool _disposed;

    /// <summary>Puts a model behind the interface. It stays the caller's to dispose.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokenizer">Its tokenizer, with a chat template.</param>
    /// <param name="settings">What is done where a request says nothing; the defaults if null.</param>
    /// <exception cref="ArgumentException">The tokenizer has no chat template, or not the one that the settings name.</exception>
    public LanguageModelChatClient(CausalLanguageModel model, PretrainedTokenizer tokenizer, ChatClientSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        Settings = settings ?? new ChatClientSettings();
        ArgumentOutOfRangeException.ThrowIfNegative(Settings.CachedTokens, nameof(settings));
        if (tokenizer.ChatTemplates.Count == 0)
            throw new ArgumentException("The tokenizer has no chat template, so the model was hardly tuned for conversations; use one that was, or add a chat_template.jinja to its folder.", nameof(tokenizer));
        if (Settings.TemplateName is { } name && !tokenizer.ChatTemplates.ContainsKey(name))
            throw new ArgumentException($"There is no chat template '{name}'; the tokenizer has {string.Join(", ", tokenizer.ChatTemplates.Keys)}.", nameof(settings));
        (Model, Tokenizer) = (model, tokenizer);
        ModelId = Settings.ModelId ?? model.FolderName ?? model.Config.ModelType;
        Conversations = new ConversationCache(Settings.CachedTokens);
        _constraints = new ReplyConstraints(tokenizer);
    }

    private LanguageModelChatClient(CausalLanguageModel model, PretrainedTokenizer tokenizer, ChatClientSettings? settings, bool ownsModel)
        : this(model, tokenizer, settings) => _ownsModel = ownsModel;

    /// <summary>The name of the model.</summary>
    internal string ModelId { get; }

    internal CausalLanguageModel Model { get; }

    internal PretrainedTokenizer Tokenizer { get; }

    internal ChatClientSettings Settings { get; }

    internal ConversationCache Conversations { get; }

    /// <summary>Reads a Hugging Face folder. The model is disposed with the client.</summary>
    /// <param name="folder">The folder, with a chat template.</param>
    /// <param name="settings">What is done where a request says nothing; the defaults if null.</param>
    /// <param name="dtype">The element type of the weights; the stored one if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <exception cref="ArgumentException">The tokenizer has no chat template, or not the one that the settings name.</exception>
    /// <inheritdoc cref="CausalLanguageModel.Load(string, torch.ScalarType?, torch.Device?, AttentionImplementation, long, bool)" path="/exception"/>
    public static LanguageModelChatClient Load(string folder, ChatClientSettings? settings = null, torch.ScalarType? dtype = null, torch.Device? device = null)
    {
        CausalLanguageModel model = CausalLanguageModel.Load(folder, dtype, device);
        try
        {
            return new LanguageModelChatClient(model, PretrainedTokenizer.Load(folder), settings, ownsModel: true);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Gives a reply when all of it is there.</summary>
    /// <inheritdoc cref="GetStreamingResponseAsync"/>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Gives a reply as it comes. Leaving the loop ends generation.</summary>
    /// <param name="messages">The conversation, at least one message.</param>
    /// <param name="options">How to reply.</param>
    /// <param name="cancellationToken">Ends generation before the next token.</param>
    /// <exception cref="ArgumentException">The request contradicts itself, the model or the chat template, or the conversation is too long.</exception>
    /// <exception cref="NotSupportedException">The request asks for what is not supported; the message says what.</exception>
    /// <exception cref="ChatTemplateException">The chat template failed, or refused the messages.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Reply(ChatRequest.Of(messages, options, this, _constraints), cancellationToken, CancellationToken.None);
    }

    /// <summary>Gives <see cref="ChatClientMetadata"/>, the <see cref="CausalLanguageModel"/>, the <see cref="PretrainedTokenizer"/>, or the client itself.</summary>
    /// <param name="serviceType">Which of them.</param>
    /// <param name="serviceKey">Nothing here has a key.</param>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType == typeof(ChatClientMetadata)) return new ChatClientMetadata("mlcomponents", defaultModelId: ModelId);
        object[] services = [this, Model, Tokenizer];
        return services.FirstOrDefault(serviceType.IsInstanceOfType);
    }

    /// <summary>Releases what was kept of conversations, and the model if it was read by <see cref="Load"/>.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Conversations.Dispose();
        if (_ownsModel) Model.Dispose();
    }

    private async IAsyncEnumerable<ChatResponseUpdate> Reply(ChatRequest request, CancellationToken asked, [EnumeratorCancellation] CancellationToken enumerated)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(asked, enumerated);
        using ConversationCache.Conversation? known = Conversations.Find(request.PromptIds);
        var reader = new ReplyReader(request.Functions, request.IsThinking);
        string id = $"chatcmpl-{Guid.NewGuid():N}";
        DateTimeOffset created = DateTimeOffset.UtcNow;
        var input = new GenerationInput
        {
            InputIds = [request.PromptIds],
            AttentionMask = [[.. Enumerable.Repeat(true, request.PromptIds.Length)]], // whatever the template writes is to be read
            Tokenizer = Tokenizer,
            LogitsProcessors = request.Processors,
            Constraint = request.Constraint,
            Cache = known?.Cache,
            ReturnCache = Conversations.KeepsAnything,
        };
        int count = 0;
        FinishReason? reason = null;
        await foreach (GeneratedToken token in Model.StreamAsync(input, request.Generation, stop.Token).ConfigureAwait(false))
        {
            count++;
            reason = token.FinishReason;
            if (token.Cache is { } cache) Conversations.Add(cache);
            foreach (AIContent content in reader.Add(token.Text, reason is not null))
            {
                if (content is TextReasoningContent && !request.GivesThoughts) continue;
                yield return Update(content);
                if (!request.HasOneCallAtMost || content is not FunctionCallContent) continue;
                reason = FinishReason.Criterion;
                break;
            }

            if (reason is not null) break;
        }

        ChatResponseUpdate last = Update(new UsageContent(new UsageDetails
        {
            InputTokenCount = request.PromptIds.Length,
            CachedInputTokenCount = known is null ? 0 : Math.Min(request.PromptIds.AsSpan().CommonPrefixLength(known.Ids), request.PromptIds.Length - 1),
            OutputTokenCount = count,
            TotalTokenCount = request.PromptIds.Length + count,
        }));
        last.FinishReason = reader.CallCount > 0 ? ChatFinishReason.ToolCalls
            : reason is FinishReason.Length ? ChatFinishReason.Length
            : reason is FinishReason.Time ? new ChatFinishReason("time")
            : ChatFinishReason.Stop;
        yield return last;

        ChatResponseUpdate Update(AIContent content) =>
            new(ChatRole.Assistant, [content]) { ResponseId = id, MessageId = id, ModelId = ModelId, CreatedAt = created };
    }
}
