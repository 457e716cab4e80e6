using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLComponents.Transforms;

/// <summary>The prompt column, bound to an input schema.</summary>
internal sealed class FormatPromptMap : RowMap
{
    private readonly FormatPromptTransformer _transformer;
    private readonly DataViewSchema.Column[] _columns;

    public FormatPromptMap(FormatPromptTransformer transformer, DataViewSchema input)
        : base(input, Append(transformer, input))
    {
        _transformer = transformer;
        _columns = PromptColumns.Find(transformer.Template, transformer.Options, input);
        Inputs = [.. _columns.Select(column => column.Index).Distinct()];
    }

    public override IReadOnlyCollection<int> Inputs { get; }

    public override IDataView Over(IDataView input) => new MappedView(this, input);

    public override RowComputation Open(DataViewRow input) => new Prompt(this, input);

    private static DataViewSchema Append(FormatPromptTransformer transformer, DataViewSchema input)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        builder.AddColumn(transformer.OutputColumnName, TextDataViewType.Instance, PromptBeginning.Annotate(transformer.Renderer.Beginning));
        return builder.ToSchema();
    }

    private sealed class Prompt : RowComputation
    {
        private readonly FormatPromptMap _map;
        private readonly DataViewRow _input;
        private readonly Func<string?>[] _readers;
        private readonly string?[] _values;
        private ReadOnlyMemory<char> _prompt;
        private long _position = long.MinValue;
        private long _cut, _rows, _reported;

        public Prompt(FormatPromptMap map, DataViewRow input)
        {
            (_map, _input) = (map, input);
            IReadOnlyList<PromptPlaceholder> placeholders = map._transformer.Template.Placeholders;
            _readers = [.. placeholders.Select((placeholder, index) =>
                ValueText.Reader(input, map._columns[index], placeholder.Format, map._transformer.Options))];
            _values = new string?[_readers.Length];
        }

        public override Delegate Getter(int outputColumn) => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) =>
        {
            if (_position != _input.Position)
            {
                for (int i = 0; i < _readers.Length; i++) _values[i] = _readers[i]();
                _prompt = _map._transformer.Renderer.Render(_values, out int cut).AsMemory();
                _position = _input.Position;
                _cut += cut;
                if (cut > 0) _rows++;
                // A prediction engine may never be disposed: its first cut is reported at once, a cursor's at its end.
                if (_rows == 1 && cut > 0 && _input is not DataViewRowCursor) Report();
            }
            value = _prompt;
        });

        public override void Dispose() => Report();

        private void Report()
        {
            if (_cut == _reported) return;
            _reported = _cut;
            using IChannel channel = _map._transformer.Host.Start("FormatPrompt");
            channel.Warning(MessageSensitivity.Schema, "{0} values in {1} prompts of column '{2}' were cut to the limits of the template.",
                _cut, _rows, _map._transformer.OutputColumnName);
        }
    }
}
