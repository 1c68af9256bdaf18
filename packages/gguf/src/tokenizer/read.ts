import { GgufError } from '../errors.js';
import type { GgufReadValue } from '../read/cursor.js';
import { tokenTypes } from './vocabulary.js';

/** The vocabulary of a file, by id. */
export interface GgufVocabulary {
  /** `tokenizer.ggml.model`: `gpt2`, `llama`, `t5`, … */
  readonly kind: string;
  /** `tokenizer.ggml.pre`: the name of a pattern. */
  readonly pre: string;
  readonly tokens: readonly string[];
  /** The kind of each token, by llama.cpp's codes. */
  readonly types: readonly number[];
  /** Of each token; 0 where the file has none. */
  readonly scores: readonly number[];
  /** Pairs of tokens, the first merged first. */
  readonly merges: readonly (readonly [left: string, right: string])[];
}

const prefix = 'tokenizer.ggml.';

/**
 * The vocabulary of a GGUF file.
 *
 * @param name of the file, in errors
 * @throws GgufError where it has none, or lists of it have other lengths
 */
export function ggufVocabulary(
  metadata: ReadonlyMap<string, GgufReadValue>,
  name: string,
): GgufVocabulary {
  const list = <T>(key: string, type: string, otherwise?: readonly T[]): readonly T[] => {
    const value = metadata.get(prefix + key) ?? otherwise;
    if (Array.isArray(value) && value.every((item) => typeof item === type)) {
      return value as readonly T[];
    }
    throw new GgufError(
      `${name}: '${prefix}${key}' ${value === undefined ? 'is missing' : 'is of another type'}; expected a list of ${type}s`,
    );
  };
  const text = (key: string, otherwise?: string): string => {
    const value = metadata.get(prefix + key) ?? otherwise;
    if (typeof value === 'string') return value;
    throw new GgufError(`${name}: '${prefix}${key}' is ${value ?? 'missing'}; expected a text`);
  };
  const tokens = list<string>('tokens', 'string');
  const counted = (key: string, otherwise: number): readonly number[] => {
    const values = list<number>(key, 'number', new Array(tokens.length).fill(otherwise));
    if (values.length === tokens.length) return values;
    throw new GgufError(
      `${name}: '${prefix}${key}' has ${values.length} entries; expected one for each of ${tokens.length} tokens`,
    );
  };
  const merges = list<string>('merges', 'string', []).map((merge) => {
    // The blank between two tokens is the first after a character: blanks of tokens are other characters.
    const at = merge.indexOf(' ', 1);
    if (at > 0) return [merge.slice(0, at), merge.slice(at + 1)] as const;
    throw new GgufError(`${name}: '${prefix}merges' has '${merge}'; expected two tokens`);
  });
  return {
    kind: text('model'),
    pre: text('pre', 'default'),
    tokens,
    types: counted('token_type', tokenTypes.normal),
    scores: counted('scores', 0),
    merges,
  };
}
