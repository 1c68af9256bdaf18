import { TokenizerError } from './errors.js';

/** The parts of Hugging Face's `tokenizer.json` that this package reads and writes. */
export interface TokenizerJson {
  version: string;
  truncation: null;
  padding: null;
  added_tokens: unknown[];
  normalizer: null;
  pre_tokenizer: { type: 'ByteLevel'; add_prefix_space: boolean; [key: string]: unknown } | null;
  post_processor: null;
  decoder: { type: 'ByteLevel' | 'Fuse'; [key: string]: unknown } | null;
  model: {
    type: 'BPE';
    vocab: Record<string, number>;
    merges: [string, string][];
    unk_token: string | null;
    [key: string]: unknown;
  };
}

/**
 * Checks a `tokenizer.json`.
 *
 * @throws TokenizerError naming the field, what it holds and what was expected
 */
export function readTokenizerJson(json: unknown, name: string): TokenizerJson {
  const refuse = (field: string, found: unknown, expected: string): never => {
    const shown = JSON.stringify(found)?.slice(0, 80) ?? 'missing';
    throw new TokenizerError(`${name}: '${field}' is ${shown}; expected ${expected}`);
  };
  const document = object(json) ?? refuse('the document', json, 'an object');
  const model = object(document.model) ?? refuse('model', document.model, 'an object');
  if (model.type !== 'BPE') refuse('model.type', model.type, '"BPE"');
  const vocab = object(model.vocab) ?? refuse('model.vocab', model.vocab, 'an object');
  const seen = new Set<unknown>();
  for (const [token, id] of Object.entries(vocab)) {
    if (!Number.isInteger(id) || (id as number) < 0) {
      refuse(`model.vocab.${token}`, id, 'a whole number of at least 0');
    }
    if (seen.has(id)) refuse(`model.vocab.${token}`, id, 'an id that no other token has');
    seen.add(id);
  }
  for (let id = 0; id < seen.size; id++) {
    if (!seen.has(id)) refuse('model.vocab', `no token ${id}`, `ids 0 to ${seen.size - 1}`);
  }
  if (!Array.isArray(model.merges)) refuse('model.merges', model.merges, 'an array');
  const merges = (model.merges as unknown[]).map((merge, i): [string, string] => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    if (Array.isArray(pair) && pair.length === 2 && pair.every((t) => typeof t === 'string')) {
      return pair as [string, string];
    }
    return refuse(`model.merges[${i}]`, merge, 'two tokens');
  });
  const before = object(document.pre_tokenizer);
  if (before && (before.type !== 'ByteLevel' || before.add_prefix_space === true)) {
    refuse('pre_tokenizer', before, 'ByteLevel without add_prefix_space, or null');
  }
  for (const part of ['normalizer', 'post_processor', 'truncation', 'padding'] as const) {
    if (document[part] != null) refuse(part, document[part], 'null');
  }
  return { ...document, model: { ...model, merges } } as unknown as TokenizerJson;
}

function object(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
