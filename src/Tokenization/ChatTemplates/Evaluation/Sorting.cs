namespace MLComponents.Tokenization;

/// <summary>Stable sorting as Python's sorted does it.</summary>
internal static class Sorting
{
    public static T[] Sort<T>(RenderContext context, T[] items, Func<T, object?> key, bool reverse)
    {
        context.Charge(items.Length);
        (T Item, object? Key)[] keyed = [.. items.Select(item => (item, key(item)))];
        if (reverse) Array.Reverse(keyed); // so that equal items keep their order
        var scratch = new (T Item, object? Key)[keyed.Length];
        MergeSort(context, keyed, scratch, 0, keyed.Length);
        if (reverse) Array.Reverse(keyed);
        return [.. keyed.Select(pair => pair.Item)];
    }

    private static void MergeSort<T>(RenderContext context, (T Item, object? Key)[] items, (T Item, object? Key)[] scratch, int from, int to)
    {
        if (to - from < 2) return;
        int middle = (from + to) / 2;
        MergeSort(context, items, scratch, from, middle);
        MergeSort(context, items, scratch, middle, to);
        Array.Copy(items, from, scratch, from, to - from);
        for (int left = from, right = middle, at = from; at < to; at++)
        {
            context.Step();
            bool takeRight = left == middle || (right < to && Comparison.Holds(context, "<", scratch[right].Key, scratch[left].Key));
            items[at] = takeRight ? scratch[right++] : scratch[left++];
        }
    }
}
