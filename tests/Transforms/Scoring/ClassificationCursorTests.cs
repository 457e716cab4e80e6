using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class ClassificationCursorTests
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly CountingScorer _scorer = new(Tickets.Labels, maxLength: 50);

    private SequenceClassificationTransformer Transformer(Action<SequenceClassificationSettings>? configure = null)
    {
        var settings = new SequenceClassificationSettings { BatchSize = 8, LookAhead = 64 };
        configure?.Invoke(settings);
        return Tickets.Multiclass(_ml, _scorer, settings);
    }

    private Tickets.Scored[] Read(IDataView view) => [.. _ml.Data.CreateEnumerable<Tickets.Scored>(view, reuseRowObject: false, ignoreMissingColumns: true)];

    [Fact]
    public void Rows_keep_their_order_and_get_their_own_scores()
    {
        Tickets.Ticket[] rows = Tickets.Rows(300);
        Tickets.Scored[] scored = Read(Transformer().Transform(Tickets.View(_ml, 300)));
        Assert.Equal(300, scored.Length);
        for (int i = 0; i < rows.Length; i++)
        {
            Assert.Equal((rows[i].Id, rows[i].Text), (scored[i].Id, scored[i].Text));
            Assert.Equal(rows[i].Vector, scored[i].Vector);
            string read = rows[i].Text[..Math.Min(50, rows[i].Text.Length)];
            Classification expected = Classification.Multiclass([read.Count(c => c == 'a'), read.Count(c => c == 'b'), read.Count(c => c == 'c')]);
            Assert.Equal(expected.Scores, scored[i].Score);
            Assert.Equal((uint)expected.Label + 1, scored[i].PredictedLabel);
            Assert.Equal(expected.Scores.Max(), scored[i].Probability);
        }
    }

    [Fact]
    public void Batches_have_rows_of_like_length_within_the_budgets()
    {
        Read(Transformer(settings => (settings.MaxTokensPerBatch, settings.LookAhead) = (100, 256)).Transform(Tickets.View(_ml, 1000)));
        Assert.Equal(1000, _scorer.Forwards.Sum(batch => batch.Length));
        Assert.All(_scorer.Forwards, batch => Assert.True(batch.Length <= 8 && (batch.Length == 1 || batch.Length * batch.Max() <= 100)));
        int padded = _scorer.Forwards.Sum(batch => batch.Length * batch.Max()), tokens = _scorer.Forwards.Sum(batch => batch.Sum());
        Assert.True(padded < 1.1 * tokens, $"{padded} padded for {tokens} tokens");
    }

    [Fact]
    public void No_forward_runs_when_no_added_column_is_asked_for()
    {
        IDataView view = Transformer().Transform(Tickets.View(_ml, 100));
        Assert.Equal(Enumerable.Range(0, 100), view.GetColumn<int>("Id"));
        Assert.Equal(100, view.GetColumn<string>("Text").Count());
        using (DataViewRowCursor cursor = view.GetRowCursor(view.Schema))
            while (cursor.MoveNext())
            {
            }
        Assert.Equal((0, 0), (_scorer.Encoded, _scorer.Forwards.Count));
    }

    [Fact]
    public void A_preview_of_a_few_rows_costs_one_small_window_and_only_the_batches_it_reads()
    {
        IDataView view = Transformer(settings => settings.LookAhead = 2048).Transform(Tickets.View(_ml, 5000));
        Assert.Equal(3, _ml.Data.TakeRows(view, 3).GetColumn<float>("Probability").Count());
        Assert.Equal(8, _scorer.Encoded);
        Assert.InRange(_scorer.Forwards.Count, 1, 3);
        Assert.InRange(_scorer.Forwards.Sum(batch => batch.Length), 3, 8);
    }

    [Fact]
    public void Windows_grow_to_the_look_ahead_and_no_further()
    {
        var source = new ReadCounter(Tickets.View(_ml, 1000));
        IDataView view = Transformer(settings => settings.LookAhead = 100).Transform(source);
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Score"]]);
        var ahead = new List<long>();
        for (long row = 0; cursor.MoveNext(); row++) ahead.Add(source.Rows - row);
        Assert.Equal([8, 16, 32, 64, 100, 100], ahead.Where((_, row) => row == 0 || ahead[row] > ahead[row - 1]).Take(6));
        Assert.Equal(100, ahead.Max());
    }

    [Fact]
    public void A_window_of_very_long_texts_ends_early()
    {
        string text = new('a', ReadAhead.MostCharacters / 4);
        var source = new ReadCounter(_ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(_ => new { Text = text }).ToArray()));
        IDataView view = Transformer(settings => (settings.BatchSize, settings.LookAhead) = (32, 32)).Transform(source);
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Score"]]);
        Assert.True(cursor.MoveNext());
        Assert.Equal(4, source.Rows);
    }

    [Fact]
    public void Rows_that_nobody_reads_are_not_scored()
    {
        IDataView view = Transformer(settings => settings.LookAhead = 8).Transform(Tickets.View(_ml, 80));
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Probability"]]);
        ValueGetter<float> getter = cursor.GetGetter<float>(view.Schema["Probability"]);
        float value = 0;
        while (cursor.MoveNext())
            if (cursor.Position is >= 16 and < 24) getter(ref value);
        Assert.Equal(8, _scorer.Encoded);
        Assert.Equal(8, _scorer.Forwards.Sum(batch => batch.Length));
    }

    [Fact]
    public void Getters_read_twice_score_once()
    {
        IDataView view = Transformer().Transform(Tickets.View(_ml, 20));
        Read(view);
        Assert.Equal(20, _scorer.Forwards.Sum(batch => batch.Length));
    }

    [Fact]
    public void A_set_of_cursors_is_one_cursor()
    {
        IDataView view = Transformer().Transform(Tickets.View(_ml, 20));
        DataViewRowCursor[] cursors = view.GetRowCursorSet(view.Schema, 4);
        Assert.Single(cursors).Dispose();
    }

    [Fact]
    public async Task Concurrent_cursors_take_turns_and_agree()
    {
        IDataView view = Transformer().Transform(Tickets.View(_ml, 400));
        List<object> expected = EstimatorContract.Values(view, "Score");
        List<object>[] found = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => EstimatorContract.Values(view, "Score"))));
        Assert.All(found, values => Assert.Equal(expected, values));
        Assert.Equal(5 * 400, _scorer.Forwards.Sum(batch => batch.Length));
    }

    [Fact]
    public void Two_cursors_side_by_side_do_not_disturb_each_other()
    {
        IDataView view = Transformer().Transform(Tickets.View(_ml, 100));
        DataViewSchema.Column score = view.Schema["Probability"];
        using DataViewRowCursor one = view.GetRowCursor([score]), other = view.GetRowCursor([score]);
        ValueGetter<float> first = one.GetGetter<float>(score), second = other.GetGetter<float>(score);
        for (int skipped = 0; skipped < 9; skipped++) other.MoveNext();
        float a = 0, b = 0;
        var firsts = new List<float>();
        var seconds = new List<float>();
        while (one.MoveNext())
        {
            first(ref a);
            firsts.Add(a);
            if (!other.MoveNext()) continue;
            second(ref b);
            seconds.Add(b);
        }
        Assert.Equal(firsts.Skip(9), seconds);
    }

    [Fact]
    public void A_cursor_without_a_row_says_so()
    {
        IDataView view = Transformer().Transform(Tickets.View(_ml, 3));
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Probability"]]);
        ValueGetter<float> getter = cursor.GetGetter<float>(view.Schema["Probability"]);
        float value = 0;
        Assert.Throws<InvalidOperationException>(() => getter(ref value));
        while (cursor.MoveNext())
        {
        }
        Assert.Equal(-1, cursor.Position);
        Assert.False(cursor.MoveNext());
        Assert.Throws<InvalidOperationException>(() => getter(ref value));
        Assert.Throws<ArgumentOutOfRangeException>(() => cursor.GetGetter<int>(view.Schema["Id"]));
        Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<double>(view.Schema["Probability"]));
    }

    [Fact]
    public void Truncated_texts_are_counted_and_reported_once_per_cursor()
    {
        var messages = new List<string>();
        _ml.Log += (_, e) => messages.Add(e.Message);
        IDataView view = Transformer().Transform(Tickets.View(_ml, 120));
        int longer = Tickets.Rows(120).Count(row => row.Text.Length > 50);
        Assert.True(longer > 1);
        Read(view);
        string warning = Assert.Single(messages, message => message.Contains("tokens and were cut"));
        Assert.Contains($"{longer} of 120 texts of column 'Text' had more than 50 tokens", warning);
    }

    [Fact]
    public void A_disposed_transformer_scores_no_more()
    {
        SequenceClassificationTransformer transformer = Transformer();
        IDataView view = transformer.Transform(Tickets.View(_ml, 10));
        transformer.Dispose();
        transformer.Dispose();
        Assert.True(_scorer.Disposed);
        Assert.Throws<ObjectDisposedException>(() => view.GetColumn<float>("Probability").First());
    }

    [Fact]
    public void A_cancelled_token_stops_between_batches()
    {
        using var cancel = new CancellationTokenSource();
        IDataView view = Transformer(settings => settings.CancellationToken = cancel.Token).Transform(Tickets.View(_ml, 1000));
        int rows = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (float _ in view.GetColumn<float>("Probability"))
                if (++rows == 20) cancel.Cancel();
        });
        Assert.InRange(rows, 20, 40);
    }

    [Fact]
    public void A_cancelled_context_stops_between_batches()
    {
        IDataView view = Transformer().Transform(Tickets.View(_ml, 1000));
        int rows = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (float _ in view.GetColumn<float>("Probability"))
                if (++rows == 20) typeof(MLContext).GetMethod("CancelExecution", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public)!.Invoke(_ml, null);
        });
        Assert.InRange(rows, 20, 40);
    }

    /// <summary>Counts the rows that are read.</summary>
    private sealed class ReadCounter(IDataView input) : IDataView
    {
        public long Rows { get; private set; }

        public DataViewSchema Schema => input.Schema;

        public bool CanShuffle => false;

        public long? GetRowCount() => null;

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
            new Cursor(this, input.GetRowCursor(columnsNeeded));

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
            [GetRowCursor(columnsNeeded, rand)];

        private sealed class Cursor(ReadCounter counter, DataViewRowCursor input) : DataViewRowCursor
        {
            public override DataViewSchema Schema => input.Schema;

            public override long Position => input.Position;

            public override long Batch => input.Batch;

            public override bool MoveNext()
            {
                bool moved = input.MoveNext();
                if (moved) counter.Rows++;
                return moved;
            }

            public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(column);

            public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

            public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => input.GetGetter<TValue>(column);
        }
    }
}
