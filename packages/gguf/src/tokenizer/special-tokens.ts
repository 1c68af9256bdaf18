import type { GgufMetadata, GgufValue } from '../metadata.js';
import type { GgufTokenizerFiles } from './files.js';
import { type Json, parts } from './json.js';
import { addedTokens } from './vocabulary.js';

/** The keys of special tokens in `tokenizer_config.json` and `config.json`, and in a file, as llama.cpp spells them. */
const names = {
  bos: 'bos',
  eos: 'eos',
  unk: 'unknown',
  sep: 'seperator',
  pad: 'padding',
  mask: 'mask',
} as const;
type Name = keyof typeof names;

/**
 * Ids of special tokens, and whether they are put around a text.
 *
 * Names of `tokenizer_config.json` win over ids of `config.json`. Where a byte-level vocabulary has neither an end nor a
 * beginning, both are the byte 0xFF, which no UTF-8 text has: llama.cpp would take token 11 for them.
 */
export function specialTokens(files: GgufTokenizerFiles): GgufMetadata {
  const { tokenizer, config, tokenizerConfig = {} } = files;
  const ids = new Map(addedTokens(tokenizer).map(({ content, id }) => [content, id]));
  const entries: Record<string, GgufValue> = {};
  const put = (name: Name, id: unknown) => {
    if (typeof id !== 'number') return;
    entries[`tokenizer.ggml.${names[name]}_token_id`] = ['u32', id];
  };
  for (const name of Object.keys(names) as Name[]) {
    const token = tokenizerConfig[`${name}_token`] as string | { content?: string } | undefined;
    const text = typeof token === 'string' ? token : token?.content;
    put(name, ids.get(text ?? '') ?? first(config[`${name}_token_id`]));
  }
  const model = tokenizer.model as Json;
  const vocab = model.vocab as Readonly<Record<string, number>>;
  // SentencePiece's kinds: llama.cpp would take a fixed id.
  if (!entries['tokenizer.ggml.unknown_token_id']) {
    put('unk', Array.isArray(vocab) ? model.unk_id : vocab[String(model.unk_token)]);
  }
  const never = vocab[lastByte];
  if ((tokenizer.decoder as Json | null)?.type === 'ByteLevel' && never !== undefined) {
    if (!entries['tokenizer.ggml.eos_token_id']) put('eos', never);
    if (!entries['tokenizer.ggml.bos_token_id']) put('bos', never);
  }
  return { ...entries, ...around(files) };
}

/** The byte 0xFF in a byte-level vocabulary. */
const lastByte = 'ÿ';

/** Of several ends, the first. */
const first = (ids: unknown): unknown => (Array.isArray(ids) ? ids[0] : ids);

/** Which tokens are put around a text: by the post-processor, unless `tokenizer_config.json` says it. */
function around({ tokenizer, tokenizerConfig = {} }: GgufTokenizerFiles): GgufMetadata {
  let [begins, ends] = [false, false];
  for (const part of parts(tokenizer.post_processor as Json | null, 'processors')) {
    if (part.type === 'RobertaProcessing') [begins, ends] = [true, true];
    if (part.type !== 'TemplateProcessing') continue;
    const single = part.single as readonly Json[];
    begins = 'SpecialToken' in (single[0] ?? {});
    ends = 'SpecialToken' in (single.at(-1) ?? {});
  }
  return {
    'tokenizer.ggml.add_bos_token': ['bool', flag(tokenizerConfig.add_bos_token, begins)],
    'tokenizer.ggml.add_eos_token': ['bool', flag(tokenizerConfig.add_eos_token, ends)],
  };
}

const flag = (given: unknown, otherwise: boolean): boolean =>
  typeof given === 'boolean' ? given : otherwise;
