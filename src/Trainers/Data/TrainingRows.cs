using Microsoft.ML;
using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>Finds the rows to learn from and those to validate on.</summary>
internal static class TrainingRows
{
    /// <summary>Looks up the columns of both.</summary>
    /// <param name="input">The training data.</param>
    /// <param name="options">Whether a set or a part of the training data is validated on.</param>
    /// <param name="find">Looks up the columns of a data set.</param>
    /// <returns>The rows to learn from, and those to validate on or null.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public static (TRows Training, TRows? Validation) Find<TRows>(IDataView input, FineTuningOptions options, Func<IDataView, TRows> find)
        where TRows : class, ISplitRows<TRows>
    {
        TRows all = find(input);
        if (options.ValidationSet is not { } set) return options.ValidationFraction > 0 ? all.Split(options.ValidationFraction, options.Seed) : (all, null);
        try
        {
            return (all, find(set));
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw OutOfRange.Error($"{nameof(options.ValidationSet)}: {error.Message}", nameof(options.ValidationSet));
        }
    }
}
