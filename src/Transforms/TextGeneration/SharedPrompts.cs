using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>What the model has read of the prompts of columns that begin alike; of the columns that were read last.</summary>
/// <param name="model">The model.</param>
/// <param name="encoder">What makes tokens of prompts.</param>
internal sealed class SharedPrompts(CausalLanguageModel model, PromptEncoder encoder) : IDisposable
{
    private const int Most = 8;

    private readonly Lock _lock = new();
    private readonly List<(string Beginning, SharedPrompt Prompt)> _prompts = []; // the latest last

    /// <summary>That of the columns whose texts begin so.</summary>
    /// <param name="beginning">The text; empty where they have nothing in common.</param>
    public SharedPrompt Of(string beginning)
    {
        lock (_lock)
        {
            int place = _prompts.FindIndex(prompt => prompt.Beginning == beginning);
            SharedPrompt found = place < 0 ? new SharedPrompt(model, encoder.SharedIds(beginning)) : _prompts[place].Prompt;
            if (place >= 0) _prompts.RemoveAt(place);
            _prompts.Add((beginning, found));

            // Texts may still be in the making that begin with what falls out: it is not disposed, but goes with the last of them.
            if (_prompts.Count > Most) _prompts.RemoveAt(0);
            return found;
        }
    }

    public void Dispose()
    {
        foreach ((_, SharedPrompt prompt) in _prompts) prompt.Dispose();
    }
}
