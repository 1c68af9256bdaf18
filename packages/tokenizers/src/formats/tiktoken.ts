import { asText, type Bytes } from '../as-bytes.js';
import { TokenizerError } from '../errors.js';
import { byteToChar } from '../text/bytes.js';
import { Tokenizer } from '../tokenizer.js';
import { bpeJson, byteLevelFrame, specialTokenJson } from './frames.js';
import { type Split, splitsOf } from './splits.js';

/**
 * Makes a tokenizer of a tiktoken file, its text or its bytes: on each line a token in base64 and its rank.
 *
 * @param pattern splits a text into words; default GPT-2's
 * @param specialTokens with their ids
 * @throws TokenizerError naming the line and what was expected
 * @see https://github.com/openai/tiktoken
 */
export function fromTiktoken(
  ranks: string | Bytes,
  {
    pattern,
    specialTokens = {},
  }: {
    pattern?: string | undefined;
    specialTokens?: Readonly<Record<string, number>> | undefined;
  } = {},
): Tokenizer {
  const ids = new Map<string, number>();
  asText(ranks, 'tiktoken file')
    .split('\n')
    .forEach((line, i) => {
      if (line.trim() === '') return;
      const [, base64, rank] = /^([A-Za-z0-9+/]+={0,2}) (\d+)\r?$/.exec(line) ?? [];
      if (base64 === undefined) {
        throw new TokenizerError(
          `tiktoken file: line ${i + 1} is '${line.slice(0, 80)}'; expected a token in base64 and its rank`,
        );
      }
      ids.set(tokenOf(base64, i), Number(rank));
    });
  const merges: { split: Split; id: number }[] = [];
  for (const [token, id] of ids) {
    for (const split of splitsOf([...token], (part) => ids.get(part))) merges.push({ split, id });
  }
  merges.sort((a, b) => a.id - b.id);
  return Tokenizer.fromJSON(
    {
      ...byteLevelFrame(pattern),
      added_tokens: Object.entries(specialTokens)
        .sort(([, a], [, b]) => a - b)
        .map(([token, id]) => specialTokenJson(token, id)),
      model: bpeJson(
        Object.fromEntries(ids),
        merges.map(({ split }) => split),
        // A word that is a token is that token, whether merges lead to it or not.
        { ignore_merges: true },
      ),
    },
    'tiktoken file',
  );
}

function tokenOf(base64: string, index: number): string {
  try {
    return Array.from(atob(base64), (char) => byteToChar[char.charCodeAt(0)]).join('');
  } catch {
    throw new TokenizerError(`tiktoken file: line ${index + 1} is '${base64}'; expected base64`);
  }
}
