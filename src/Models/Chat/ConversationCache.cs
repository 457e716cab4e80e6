namespace MLComponents.Models;

/// <summary>
/// What a model has read of earlier conversations, those used last. Any number of threads may use it; what one of them reads is not released before it is done.
/// </summary>
/// <param name="capacity">The most tokens of all conversations together.</param>
internal sealed class ConversationCache(int capacity) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Conversation> _conversations = []; // the one used last first
    private bool _disposed;

    /// <summary>Whether anything is kept.</summary>
    public bool KeepsAnything => capacity > 0;

    /// <summary>The number of conversations.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _conversations.Count;
        }
    }

    /// <summary>
    /// The conversation that has most in common with the beginning of a prompt, to be disposed after use. Null if that is less than half of the prompt: then reading all of it at
    /// once is faster than reading the rest behind it.
    /// </summary>
    public Conversation? Find(ReadOnlySpan<int> promptIds)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Conversation? best = null;
            int shared = 0;
            foreach (Conversation conversation in _conversations)
            {
                int common = promptIds.CommonPrefixLength(conversation.Ids);
                if (common > shared) (best, shared) = (conversation, common);
            }

            if (best is null || 2 * shared < promptIds.Length) return null;
            _conversations.Remove(best);
            _conversations.AddFirst(best);
            best.Users++;
            return best;
        }
    }

    /// <summary>Keeps a conversation, in place of those that it goes on with. The cache is not the caller's any more.</summary>
    public void Add(PromptCache cache)
    {
        var added = new Conversation(this, cache);
        lock (_lock)
        {
            if (!_disposed) _conversations.AddFirst(added);
            else added.IsDropped = true;
            int tokens = 0;
            for (LinkedListNode<Conversation>? node = _conversations.First, next; node is not null; node = next)
            {
                next = node.Next;
                Conversation conversation = node.Value;
                tokens += conversation.Ids.Length;
                bool isBeginning = conversation != added && added.Ids.AsSpan().StartsWith(conversation.Ids);
                if (tokens <= capacity && !isBeginning) continue;
                tokens -= conversation.Ids.Length;
                _conversations.Remove(node);
                conversation.IsDropped = true;
                conversation.ReleaseIfUnused();
            }

            added.ReleaseIfUnused();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (Conversation conversation in _conversations)
            {
                conversation.IsDropped = true;
                conversation.ReleaseIfUnused();
            }

            _conversations.Clear();
        }
    }

    /// <summary>A conversation; disposing it says that it is not used any more.</summary>
    internal sealed class Conversation(ConversationCache owner, PromptCache cache) : IDisposable
    {
        public PromptCache Cache => cache;

        public int[] Ids { get; } = [.. cache.IdsOf(0)];

        public int Users { get; set; }

        public bool IsDropped { get; set; }

        public void ReleaseIfUnused()
        {
            if (IsDropped && Users == 0) cache.Dispose();
        }

        public void Dispose()
        {
            lock (owner._lock)
            {
                Users--;
                ReleaseIfUnused();
            }
        }
    }
}
