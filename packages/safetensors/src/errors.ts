/** A safetensors file, or what should become one, contradicts itself or the format. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';

  constructor(
    /** The file's name as the caller gave it. */
    readonly file: string,
    /** The tensor or header entry at fault, where there is one. */
    readonly key: string | undefined,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: ${key === undefined ? '' : `${quote(key)}: `}${reason}`, options);
  }
}

/** Text from a file, made safe and short enough for an error message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 117)}...` : text);
}

/** Any JSON value, made short enough for an error message. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
