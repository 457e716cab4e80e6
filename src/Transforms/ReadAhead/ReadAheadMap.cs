using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>Columns that are computed for many rows at once; row by row where a single row is asked for.</summary>
internal abstract class ReadAheadMap<TInput, TResult>(DataViewSchema inputSchema, DataViewSchema outputSchema) : RowMap(inputSchema, outputSchema)
{
    /// <summary>Rows of a cursor's first window.</summary>
    public abstract int FirstRows { get; }

    /// <summary>Most rows of a window.</summary>
    public abstract int MostRows { get; }

    /// <summary>Throws when the run was cancelled.</summary>
    public abstract void CheckAlive();

    /// <summary>What reads the input from the row that <paramref name="row"/> stands on; what it gives outlives the row.</summary>
    public abstract Func<TInput> Reader(DataViewRow row);

    /// <summary>Characters that an input holds on to.</summary>
    public abstract int Characters(TInput input);

    /// <summary>A window of its own for each cursor.</summary>
    public abstract ReadAheadWindow<TInput, TResult> NewWindow();

    /// <summary>The getter of an added column over whatever gives the current row's result.</summary>
    public abstract Delegate Getter(int outputColumn, Func<TResult> current);

    public override IDataView Over(IDataView input) => new ReadAheadView<TInput, TResult>(this, input);

    public override RowComputation Open(DataViewRow input) => new SingleRow(this, input);

    private sealed class SingleRow(ReadAheadMap<TInput, TResult> map, DataViewRow input) : RowComputation
    {
        private readonly Func<TInput> _read = map.Reader(input);
        private readonly ReadAheadWindow<TInput, TResult> _window = map.NewWindow();
        private long _position = long.MinValue;
        private bool _told;
        private TResult _current = default!;

        public override Delegate Getter(int outputColumn) => map.Getter(outputColumn, Current);

        public override void Dispose()
        {
            _window.Tell();
            _window.Clear();
        }

        private TResult Current()
        {
            if (_position == input.Position) return _current;
            _window.Clear();
            _window.Add(_read());
            _current = _window[0];
            // An engine that lives for months is not disposed for months: its first cut row is reported at once.
            if (!_told) _told = _window.Tell();
            _position = input.Position;
            return _current;
        }
    }
}
