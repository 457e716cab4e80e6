using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;

namespace MLComponents.Tokenization;

/// <summary>Whole and floating point numbers as Python has them.</summary>
internal static class Numbers
{
    private const long MaxBits = 14_000; // about the 4300 digits that Python prints

    /// <summary>A whole number in its smallest form.</summary>
    public static object Whole(BigInteger number) => number >= long.MinValue && number <= long.MaxValue
        ? (object)(long)number
        : number.GetBitLength() <= MaxBits ? number : throw Fault.Limit("The template computes a whole number of more than 4200 digits.");

    public static bool IsNumber(object? value) => value is bool or long or BigInteger or double;

    public static bool IsIntegral(double number) => double.IsFinite(number) && Math.Floor(number) == number;

    /// <summary>A whole number (True counts as 1); false for other values.</summary>
    public static bool TryWhole(object? value, out BigInteger number)
    {
        number = value switch { bool truth => truth ? 1 : 0, long whole => whole, BigInteger big => big, _ => 0 };
        return value is bool or long or BigInteger;
    }

    /// <summary>An index; false for values that are no whole number in the range of one.</summary>
    public static bool TryIndex(object? value, out long index)
    {
        index = value switch { bool truth => truth ? 1 : 0, long whole => whole, BigInteger big => big.Sign < 0 ? -(1L << 60) : 1L << 60, _ => 0 };
        if (value is long) index = Math.Clamp(index, -(1L << 60), 1L << 60);
        return value is bool or long or BigInteger;
    }

    /// <summary>A number as a float.</summary>
    public static double ToDouble(object? value) => value switch
    {
        double number => number,
        long number => number,
        bool truth => truth ? 1 : 0,
        BigInteger number => double.IsInfinity((double)number) ? throw Fault.Value("int too large to convert to float") : (double)number,
        _ => throw Fault.Type($"must be real number, not {ValueTypes.Name(value)}"),
    };

    /// <summary>A float cut to a whole number.</summary>
    public static object Truncate(double number)
    {
        if (double.IsNaN(number)) throw Fault.Value("cannot convert float NaN to integer");
        if (double.IsInfinity(number)) throw Fault.Value("cannot convert float infinity to integer");
        return Math.Abs(number) < 1e18 ? (long)number : Whole(new BigInteger(number));
    }

    /// <summary>The shortest text that stands for a float, in the form that Python gives it.</summary>
    public static string Repr(double number)
    {
        if (double.IsNaN(number)) return "nan";
        if (double.IsInfinity(number)) return number > 0 ? "inf" : "-inf";
        string text = number.ToString("R", CultureInfo.InvariantCulture);
        string sign = text.StartsWith('-') ? "-" : "";
        (string digits, int exponent) = Digits(text[sign.Length..]);
        if (exponent is < -4 or >= 16)
        {
            string fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)}";
        }

        if (exponent < 0) return sign + "0." + new string('0', -exponent - 1) + digits;
        return digits.Length <= exponent + 1 ? sign + digits.PadRight(exponent + 1, '0') + ".0" : sign + digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
    }

    /// <summary>A float with a number of decimals, rounded half to even on its exact value, without an exponent.</summary>
    public static string Fixed(double number, int decimals)
    {
        if (!double.IsFinite(number)) return Repr(number);
        BigInteger scaled = Scale(Math.Abs(number), decimals);
        string digits = scaled.ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        string sign = double.IsNegative(number) ? "-" : "";
        return decimals == 0 ? sign + digits : $"{sign}{digits[..^decimals]}.{digits[^decimals..]}";
    }

    /// <summary>As Python's round with a number of digits, which may be negative.</summary>
    public static object Round(object? value, long digits)
    {
        if (TryWhole(value, out BigInteger whole))
        {
            if (digits >= 0) return Whole(whole);
            if (-digits > whole.GetBitLength()) return 0L;
            BigInteger unit = BigInteger.Pow(10, (int)-digits);
            BigInteger quotient = BigInteger.DivRem(BigInteger.Abs(whole), unit, out BigInteger rest);
            int half = (rest * 2).CompareTo(unit);
            if (half > 0 || (half == 0 && !quotient.IsEven)) quotient++;
            return Whole(quotient * unit * whole.Sign);
        }

        if (value is not double number)
            throw value is UndefinedValue undefined ? Fault.Type("type Undefined doesn't define __round__ method") : Fault.Type($"type {ValueTypes.Name(value)} doesn't define __round__ method");
        if (!double.IsFinite(number) || digits > 323) return number;
        if (digits < -308) return double.IsNegative(number) ? -0.0 : 0.0;
        if (digits >= 0) return double.Parse(Fixed(number, (int)digits), CultureInfo.InvariantCulture);
        BigInteger tens = BigInteger.Pow(10, (int)-digits);
        double sign = double.IsNegative(number) ? -1 : 1;
        BigInteger parts = RoundRatio(new BigInteger(Math.Truncate(Math.Abs(number))) * 2 + (IsIntegral(number) ? 0 : 1), tens * 2);
        return sign * double.Parse((parts * tens).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>Reads a whole number as Python's int(text, base) does.</summary>
    public static bool TryParseWhole(string text, int numberBase, [NotNullWhen(true)] out object? number)
    {
        number = null;
        string digits = PythonText.Strip(text);
        bool negative = digits.StartsWith('-');
        if (negative || digits.StartsWith('+')) digits = digits[1..];
        if (digits.Length > 2 && digits[0] == '0' && char.ToLowerInvariant(digits[1]) is var letter and ('x' or 'o' or 'b'))
        {
            int prefixed = letter == 'x' ? 16 : letter == 'o' ? 8 : 2;
            if (numberBase == prefixed || numberBase == 0)
            {
                digits = digits[2] == '_' ? digits[3..] : digits[2..];
                numberBase = prefixed;
            }
        }
        else if (numberBase == 0 && digits.Length > 1 && digits[0] == '0' && digits.Any(digit => digit is not ('0' or '_')))
        {
            return false;
        }

        if (numberBase == 0) numberBase = 10;
        if (!IsGrouped(digits) || digits.Length > 4300) return false;
        BigInteger sum = 0;
        foreach (char character in digits)
        {
            if (character == '_') continue;
            int digit = character is >= 'a' and <= 'z' ? character - 'a' + 10 : character is >= 'A' and <= 'Z' ? character - 'A' + 10 : (int)CharUnicodeInfo.GetDecimalDigitValue(character);
            if (digit < 0 || digit >= numberBase) return false;
            sum = (sum * numberBase) + digit;
        }

        number = Whole(negative ? -sum : sum);
        return true;
    }

    /// <summary>Reads a float as Python's float(text) does.</summary>
    public static bool TryParseFloat(string text, out double number)
    {
        string digits = PythonText.Strip(text);
        string unsigned = digits.TrimStart('+', '-');
        number = 0;
        if (digits.Length - unsigned.Length > 1) return false;
        switch (unsigned.ToLowerInvariant())
        {
            case "inf" or "infinity":
                number = digits.StartsWith('-') ? double.NegativeInfinity : double.PositiveInfinity;
                return true;
            case "nan":
                number = double.NaN;
                return true;
        }

        if (digits.Contains('_'))
        {
            for (int index = 0; index < digits.Length; index++)
                if (digits[index] == '_' && (index == 0 || index + 1 == digits.Length || !char.IsAsciiDigit(digits[index - 1]) || !char.IsAsciiDigit(digits[index + 1]))) return false;
            digits = digits.Replace("_", "");
        }

        return unsigned.Length > 0 && (char.IsAsciiDigit(unsigned[0]) || unsigned[0] == '.')
            && double.TryParse(digits, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out number);
    }

    // The digits of a number, the first of them not 0, and the power of ten of the first.
    private static (string Digits, int Exponent) Digits(string text)
    {
        int exponent = 0;
        if (text.IndexOf('E') is var mark and >= 0)
        {
            exponent = int.Parse(text[(mark + 1)..], CultureInfo.InvariantCulture);
            text = text[..mark];
        }

        int point = text.IndexOf('.');
        string digits = point < 0 ? text : text.Remove(point, 1);
        exponent += (point < 0 ? digits.Length : point) - 1;
        string significant = digits.TrimStart('0');
        if (significant.Length == 0) return ("0", 0);
        exponent -= digits.Length - significant.Length;
        significant = significant.TrimEnd('0');
        return (significant, exponent);
    }

    private static BigInteger Scale(double number, int decimals)
    {
        long bits = BitConverter.DoubleToInt64Bits(number);
        int exponent = (int)((bits >> 52) & 0x7FF);
        BigInteger mantissa = bits & 0xFFFFFFFFFFFFFL;
        if (exponent > 0) mantissa += 1L << 52;
        exponent = Math.Max(exponent, 1) - 1075;
        BigInteger scaled = mantissa * BigInteger.Pow(10, decimals);
        return exponent >= 0 ? scaled << exponent : RoundRatio(scaled, BigInteger.One << -exponent);
    }

    private static BigInteger RoundRatio(BigInteger numerator, BigInteger denominator)
    {
        BigInteger quotient = BigInteger.DivRem(numerator, denominator, out BigInteger rest);
        int half = (rest * 2).CompareTo(denominator);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    private static bool IsGrouped(string digits) => digits.Length > 0 && digits[0] != '_' && digits[^1] != '_' && !digits.Contains("__", StringComparison.Ordinal);
}
