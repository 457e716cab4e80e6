namespace MLComponents.Models;

/// <summary>The generator of PyTorch's CPU backend, so that a watermark is the reference's. Matsumoto and Nishimura 1998, "Mersenne Twister", MT19937.</summary>
internal sealed class MersenneTwister
{
    private const int Size = 624;
    private const int Shift = 397;

    private readonly uint[] _state = new uint[Size];
    private int _next = Size;

    /// <summary>A generator.</summary>
    /// <param name="seed">The seed, of which the lower half counts.</param>
    public MersenneTwister(ulong seed)
    {
        _state[0] = (uint)seed;
        for (uint index = 1; index < Size; index++) _state[index] = (1812433253u * (_state[index - 1] ^ (_state[index - 1] >> 30))) + index;
    }

    /// <summary>The next 32 random bits.</summary>
    public uint Next()
    {
        if (_next == Size) Advance();
        uint bits = _state[_next++];
        bits ^= bits >> 11;
        bits ^= (bits << 7) & 0x9d2c5680u;
        bits ^= (bits << 15) & 0xefc60000u;
        return bits ^ (bits >> 18);
    }

    /// <summary>The numbers from 0 on in random order, as PyTorch's <c>randperm</c> gives them.</summary>
    /// <param name="numbers">Takes the numbers.</param>
    public void Permute(Span<int> numbers)
    {
        for (int index = 0; index < numbers.Length; index++) numbers[index] = index;
        for (int index = 0; index < numbers.Length - 1; index++)
        {
            int other = index + (int)(Next() % (uint)(numbers.Length - index));
            (numbers[index], numbers[other]) = (numbers[other], numbers[index]);
        }
    }

    private void Advance()
    {
        for (int index = 0; index < Size; index++)
        {
            uint mixed = (_state[index] & 0x80000000u) | (_state[(index + 1) % Size] & 0x7fffffffu);
            _state[index] = _state[(index + Shift) % Size] ^ (mixed >> 1) ^ ((mixed & 1) == 0 ? 0 : 0x9908b0dfu);
        }

        _next = 0;
    }
}
