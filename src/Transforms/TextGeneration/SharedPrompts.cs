using System.Collections.Concurrent;
using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>What the model has read of the prompts of columns that begin alike, each kept until this is disposed.</summary>
/// <param name="model">The model.</param>
/// <param name="encoder">What makes tokens of prompts.</param>
internal sealed class SharedPrompts(CausalLanguageModel model, PromptEncoder encoder) : IDisposable
{
    private readonly ConcurrentDictionary<string, SharedPrompt> _prompts = [];

    /// <summary>That of the columns whose texts begin so.</summary>
    /// <param name="beginning">The text; empty where they have nothing in common.</param>
    public SharedPrompt Of(string beginning) => _prompts.GetOrAdd(beginning, beginning => new SharedPrompt(model, encoder.SharedIds(beginning)));

    public void Dispose()
    {
        foreach (SharedPrompt prompt in _prompts.Values) prompt.Dispose();
    }
}
