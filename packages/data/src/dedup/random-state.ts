/**
 * The uniform 64-bit numbers of numpy's `RandomState(seed)`: MT19937, two draws a number, the high word first.
 * @param seed a whole number below 2^32
 * @returns a function that gives the next number as `[low, high]` words
 * @see Matsumoto, Nishimura 1998, https://doi.org/10.1145/272991.272995
 */
export function randomState(seed: number): () => [low: number, high: number] {
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let i = 1; i < 624; i++) {
    const last = state[i - 1]!;
    state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
  }
  let at = 624;
  const next = () => {
    if (at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff);
        state[i] = state[(i + 397) % 624]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  return () => {
    const high = next();
    return [next(), high];
  };
}
