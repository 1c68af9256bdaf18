import { HeadwiseError } from '@headwise/errors';

/** A safetensors file, or the input for one, is invalid. */
export class SafetensorsError extends HeadwiseError {
  override readonly name = 'SafetensorsError';

  constructor(
    /** The file's name as the caller gave it. */
    readonly file: string,
    /** The tensor or entry at fault, where there is one. */
    readonly key: string | undefined,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: ${key === undefined ? '' : `${show(key)}: `}${reason}`, options);
  }
}

const MAX_CHARACTERS = 100;
const MAX_ITEMS = 8;

/** A JSON value for an error message: escaped, short, and one level deep however large and deep it is. */
export function show(value: unknown): string {
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map(showInner);
    return `[${items.join(', ')}${value.length > MAX_ITEMS ? `, … ${value.length} items` : ''}]`;
  }
  return showInner(value);
}

function showInner(value: unknown): string {
  if (Array.isArray(value)) return '[…]';
  if (typeof value === 'object' && value !== null) return '{…}';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(
    value.length > MAX_CHARACTERS ? `${value.slice(0, MAX_CHARACTERS)}…` : value,
  );
}

/** The class of a value, for messages. */
export function className(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}
