using Microsoft.ML;
using Microsoft.ML.Data;

namespace TicketRouting;

/// <summary>A text table with a header line; every column is read as text.</summary>
internal sealed class Table
{
    private readonly string _path;
    private readonly char _separator;

    public Table(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no table at {path}.", path);
        _path = path;
        _separator = path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) ? ',' : '\t';
        string header = File.ReadLines(path).FirstOrDefault() ?? throw new InvalidDataException($"The table {path} is empty; expected a header line.");
        Columns = [.. header.Split(_separator).Select(name => name.Trim('"', ' '))];
        if (Columns.Distinct().Count() < Columns.Count) throw new InvalidDataException($"The header line of {path} names a column twice: {header}");
    }

    /// <summary>The names in the header line.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>The rows, as a stream.</summary>
    public IDataView Load(MLContext ml) => ml.Data.LoadFromTextFile(_path, new TextLoader.Options
    {
        HasHeader = true,
        Separators = [_separator],
        AllowQuoting = _separator == ',',
        ReadMultilines = _separator == ',',
        Columns = [.. Columns.Select((name, index) => new TextLoader.Column(name, DataKind.String, index))],
    });

    /// <summary>
    /// A line for every column but the label and those called Id, the last one by itself, and then the name of what is asked for: a
    /// decoder sums up what it has read at the last token, and does so better for knowing the question.
    /// </summary>
    public string DefaultTemplate(string label)
    {
        string[] inputs = [.. Columns.Where(name => name != label && !name.Equals("Id", StringComparison.OrdinalIgnoreCase))];
        if (inputs.Length == 0) throw new InvalidDataException($"The table {_path} has the columns {string.Join(", ", Columns)}: none is left to predict '{label}' from.");
        string lines = string.Concat(inputs[..^1].Select(name => $"{Literal(name)}: {Placeholder(name)}\n"));
        return $"{lines}{(lines.Length > 0 ? "\n" : "")}{Placeholder(inputs[^1])}\n\n{Literal(label)}:";
    }

    private static string Literal(string name) => name.Replace("{", "{{").Replace("}", "}}");

    private static string Placeholder(string name) => $"{{'{name.Replace("'", "''")}'}}";
}
