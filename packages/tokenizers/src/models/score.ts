/**
 * The number that the reference reads from a score's decimal digits.
 *
 * Its reader takes `digits / 10^n` in double precision, which is off by one unit in the last place for about one score
 * in eight. Where two ways to cut a word have scores that would be equal, this decides between them.
 *
 * @see https://docs.rs/serde_json, whose feature `float_roundtrip` is off there
 */
export function scoreAsRead(score: number): number {
  const parts = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(Math.abs(score)));
  if (!parts) return score;
  const [, whole = '', fraction = '', power = '0'] = parts;
  const exponent = Number(power) - fraction.length;
  const digits = Number(whole + fraction);
  const size =
    exponent < -308
      ? digits / 1e308 / 10 ** (-exponent - 308)
      : exponent < 0
        ? digits / Number(`1e${-exponent}`)
        : digits * Number(`1e${exponent}`);
  return score < 0 ? -size : size;
}
