namespace MLComponents.Tokenization;

/// <summary><c>Sequence</c>: decoders one after the other.</summary>
internal sealed class DecoderSequence(IReadOnlyList<TokenDecoder> steps) : TokenDecoder
{
    /// <summary>
    /// True for steps that treat tokens one by one; once they are fused, only the space that was put in front may be stripped. Before
    /// byte tokens are read, nothing may become one.
    /// </summary>
    public override bool IsLocal
    {
        get
        {
            bool fused = false;
            for (int index = 0; index < steps.Count; index++)
            {
                TokenDecoder step = steps[index];
                if (step is ByteFallbackDecoder && steps.Take(index).Any(before => before is not ReplaceDecoder { MakesNoByteToken: true })) return false;
                if (!step.IsLocal || (fused && step is not (FuseDecoder or StripDecoder { IsPrefixOnly: true }))) return false;
                fused |= step is FuseDecoder or ByteLevelDecoder or DecoderSequence;
            }

            return true;
        }
    }

    /// <summary>Replacements before byte tokens are read; what strips the beginning of a text does nothing behind other tokens.</summary>
    public override byte[] BytesOf(string token)
    {
        foreach (TokenDecoder step in steps)
        {
            switch (step)
            {
                case ByteFallbackDecoder when ByteFallbackDecoder.ByteOf(token) is >= 0 and var value:
                    return [(byte)value];
                case ReplaceDecoder replace:
                    List<string> tokens = [token];
                    replace.Rewrite(tokens);
                    token = tokens[0];
                    break;
                case ByteFallbackDecoder or FuseDecoder or StripDecoder { IsPrefixOnly: true }:
                    break;
                default:
                    return step.BytesOf(token);
            }
        }

        return System.Text.Encoding.UTF8.GetBytes(token);
    }

    /// <inheritdoc/>
    public override void Rewrite(List<string> tokens)
    {
        foreach (TokenDecoder step in steps) step.Rewrite(tokens);
    }
}
