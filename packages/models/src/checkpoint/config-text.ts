/** Settings that Hugging Face declares as floats, and refuses where they are written without a point. */
const floats =
  /drop|_rate$|_eps$|epsilon$|_std$|_range$|factor$|theta$|softcapping$|_pct$|_freq$|^beta_(fast|slow)$/;

// No character that JSON lets stand unescaped in a string.
const mark = '\u0001';

/** A `config.json` as text; whole numbers that stand for floats get a point: `"dropout": 0.0`. */
export function configText(json: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(
    json,
    (key, value: unknown) =>
      floats.test(key) && Number.isSafeInteger(value) ? `${mark}${value}.0` : value,
    2,
  );
  return text.replace(/"\\u0001(-?\d+\.0)"/g, '$1');
}
