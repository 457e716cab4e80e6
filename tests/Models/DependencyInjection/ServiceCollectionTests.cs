using MLComponents.Tokenization;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace MLComponents.Models.Tests;

public class ServiceCollectionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_model_serves_chat_and_embeddings_and_is_disposed_with_the_container()
    {
        using var folder = new TemporaryFolder();
        Save(folder.Path, 1);
        CausalLanguageModel model;
        await using (ServiceProvider services = new ServiceCollection()
            .AddLanguageModel(folder.Path)
            .AddLanguageModelChatClient(new ChatClientSettings { ModelId = "mine" })
            .AddLanguageModelEmbeddingGenerator(new EmbeddingSettings { Normalize = true })
            .BuildServiceProvider())
        {
            var chat = services.GetRequiredService<IChatClient>();
            var embeddings = services.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
            model = services.GetRequiredService<CausalLanguageModel>();
            Assert.Same(model, chat.GetService<CausalLanguageModel>());
            Assert.Same(model, embeddings.GetService<CausalLanguageModel>());
            Assert.Same(services.GetRequiredService<PretrainedTokenizer>(), chat.GetService<PretrainedTokenizer>());
            Assert.Same(chat, services.GetRequiredService<IChatClient>());
            Assert.Equal("mine", (await chat.GetResponseAsync("Hello", new ChatOptions { MaxOutputTokens = 2 }, Cancellation)).ModelId);
            Assert.Equal(24, (await embeddings.GenerateAsync("Hello", cancellationToken: Cancellation)).Dimensions);
            Assert.False(model.parameters().First().IsInvalid);
        }

        Assert.All(model.parameters(), parameter => Assert.True(parameter.IsInvalid));
    }

    [Fact]
    public void Models_with_keys_stand_beside_each_other()
    {
        using var folder = new TemporaryFolder();
        string first = Path.Combine(folder.Path, "first"), second = Path.Combine(folder.Path, "second");
        Save(first, 1);
        Save(second, 2);
        using ServiceProvider services = new ServiceCollection()
            .AddLanguageModel(first, serviceKey: "a").AddLanguageModelChatClient(serviceKey: "a")
            .AddLanguageModel(second, serviceKey: "b").AddLanguageModelChatClient(serviceKey: "b").AddLanguageModelEmbeddingGenerator(serviceKey: "b")
            .BuildServiceProvider();
        Assert.Equal("first", services.GetRequiredKeyedService<IChatClient>("a").GetService<ChatClientMetadata>()!.DefaultModelId);
        Assert.Equal("second", services.GetRequiredKeyedService<IChatClient>("b").GetService<ChatClientMetadata>()!.DefaultModelId);
        Assert.Equal("second", services.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("b").GetService<EmbeddingGeneratorMetadata>()!.DefaultModelId);
        Assert.Null(services.GetService<IChatClient>());
    }

    private static void Save(string folder, long seed)
    {
        using CausalLanguageModel model = ChatSamples.Model(seed);
        model.Save(folder);
        ChatSamples.Tokenizer.Save(folder);
    }
}
