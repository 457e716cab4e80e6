using MLComponents.Models;
using MLComponents.Tokenization;
using Microsoft.Extensions.AI;
using TorchSharp;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Language models as services. All are singletons, made when they are first asked for and disposed with the container; one model serves all callers.</summary>
public static class LanguageModelServiceCollectionExtensions
{
    /// <summary>Adds a <see cref="CausalLanguageModel"/> and its <see cref="PretrainedTokenizer"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="folder">The model's Hugging Face folder.</param>
    /// <param name="dtype">The element type of the weights; the stored one if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <param name="serviceKey">A key, for several models beside each other; none if null.</param>
    public static IServiceCollection AddLanguageModel(
        this IServiceCollection services, string folder, torch.ScalarType? dtype = null, torch.Device? device = null, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return services
            .AddKeyedSingleton(serviceKey, (_, _) => CausalLanguageModel.Load(folder, dtype, device))
            .AddKeyedSingleton(serviceKey, (_, _) => PretrainedTokenizer.Load(folder));
    }

    /// <summary>Adds an <see cref="IChatClient"/> over the model that <see cref="AddLanguageModel"/> added.</summary>
    /// <param name="services">The services.</param>
    /// <param name="settings">What is done where a request says nothing; the defaults if null.</param>
    /// <param name="serviceKey">The key of the model and of the client; none if null.</param>
    public static IServiceCollection AddLanguageModelChatClient(this IServiceCollection services, ChatClientSettings? settings = null, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddKeyedSingleton<IChatClient>(serviceKey, (provider, key) => new LanguageModelChatClient(
            provider.GetRequiredKeyedService<CausalLanguageModel>(key), provider.GetRequiredKeyedService<PretrainedTokenizer>(key), settings));
    }

    /// <summary>Adds an <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/> over the model that <see cref="AddLanguageModel"/> added.</summary>
    /// <param name="services">The services.</param>
    /// <param name="settings">How vectors are made; the defaults if null.</param>
    /// <param name="serviceKey">The key of the model and of the generator; none if null.</param>
    public static IServiceCollection AddLanguageModelEmbeddingGenerator(this IServiceCollection services, EmbeddingSettings? settings = null, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddKeyedSingleton<IEmbeddingGenerator<string, Embedding<float>>>(serviceKey, (provider, key) => new LanguageModelEmbeddingGenerator(
            provider.GetRequiredKeyedService<CausalLanguageModel>(key), provider.GetRequiredKeyedService<PretrainedTokenizer>(key), settings));
    }
}
