using System.Globalization;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Times in the formats of strftime, in the C locale.</summary>
internal static class TimeFormat
{
    public static string Format(RenderContext context, DateTimeOffset time, string format)
    {
        var text = new StringBuilder();
        for (int index = 0; index < format.Length; index++)
        {
            if (format[index] != '%' || index + 1 == format.Length)
            {
                text.Append(format[index]);
                continue;
            }

            int start = index++;
            char flag = '\0';
            if (format[index] is '-' or '_' or '0' or '^' or '#' && index + 1 < format.Length) flag = format[index++];
            string? field = Field(context, time, format[index]);
            text.Append(field is null ? format[start..(index + 1)] : Flagged(field, flag));
        }

        return context.Made(text.ToString());
    }

    private static string? Field(RenderContext context, DateTimeOffset time, char directive)
    {
        string Date(string pattern) => time.ToString(pattern, CultureInfo.InvariantCulture);
        string Two(int number) => number.ToString("00", CultureInfo.InvariantCulture);
        string Spaced(int number) => number.ToString(CultureInfo.InvariantCulture).PadLeft(2);
        int hour = time.Hour % 12 == 0 ? 12 : time.Hour % 12;
        switch (directive)
        {
            case 'a': return Date("ddd");
            case 'A': return Date("dddd");
            case 'b' or 'h': return Date("MMM");
            case 'B': return Date("MMMM");
            case 'c': return Format(context, time, "%a %b %e %H:%M:%S %Y");
            case 'C': return Two(time.Year / 100);
            case 'd': return Two(time.Day);
            case 'D' or 'x': return Format(context, time, "%m/%d/%y");
            case 'e': return Spaced(time.Day);
            case 'f': return (time.Ticks % TimeSpan.TicksPerSecond / 10).ToString("000000", CultureInfo.InvariantCulture);
            case 'F': return Format(context, time, "%Y-%m-%d");
            case 'g': return Two(ISOWeek.GetYear(time.DateTime) % 100);
            case 'G': return ISOWeek.GetYear(time.DateTime).ToString(CultureInfo.InvariantCulture);
            case 'H': return Two(time.Hour);
            case 'I': return Two(hour);
            case 'j': return time.DayOfYear.ToString("000", CultureInfo.InvariantCulture);
            case 'k': return Spaced(time.Hour);
            case 'l': return Spaced(hour);
            case 'm': return Two(time.Month);
            case 'M': return Two(time.Minute);
            case 'n': return "\n";
            case 'p': return time.Hour < 12 ? "AM" : "PM";
            case 'P': return time.Hour < 12 ? "am" : "pm";
            case 'r': return Format(context, time, "%I:%M:%S %p");
            case 'R': return Format(context, time, "%H:%M");
            case 's': return time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            case 'S': return Two(time.Second);
            case 't': return "\t";
            case 'T' or 'X': return Format(context, time, "%H:%M:%S");
            case 'u': return (time.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture);
            case 'U': return Two((time.DayOfYear + 6 - (int)time.DayOfWeek) / 7);
            case 'V': return Two(ISOWeek.GetWeekOfYear(time.DateTime));
            case 'w': return ((int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture);
            case 'W': return Two((time.DayOfYear + 6 - (((int)time.DayOfWeek + 6) % 7)) / 7);
            case 'y': return Two(time.Year % 100);
            case 'Y': return time.Year.ToString(CultureInfo.InvariantCulture);
            case 'z' or 'Z': return ""; // datetime.now() knows no time zone
            case '%': return "%";
            default: return null;
        }
    }

    private static string Flagged(string field, char flag) => flag switch
    {
        '-' => field.TrimStart('0', ' ') is { Length: > 0 } trimmed ? trimmed : field.Length > 0 && field[0] is '0' or ' ' ? "0" : field,
        '_' => field.TrimStart('0').PadLeft(field.Length),
        '0' => field.Trim().PadLeft(field.Length, '0'),
        '^' => field.ToUpperInvariant(),
        '#' => field.ToUpperInvariant() == field ? field.ToLowerInvariant() : field.ToUpperInvariant(),
        _ => field,
    };
}
