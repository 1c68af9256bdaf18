import type { Fields } from '../fields.js';
import { outgrown } from '../limits.js';
import { readPrependScheme } from '../pre-tokenizers/metaspace.js';
import { stringToUnits } from '../text/normalized-text.js';
import { matchesIn, readFinder } from '../text/pattern.js';
import type { Decoder } from './decoder.js';

/** Joins words whose tokens go on with a prefix; a space before each other token. */
export function readWordPieceDecoder(fields: Fields): Decoder {
  const prefix = fields.string('prefix', '##');
  const cleans = fields.boolean('cleanup', true);
  const join = (token: string) =>
    token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
  return {
    decode: (tokens) =>
      tokens.map((token, i) => {
        const text = i === 0 ? token : join(token);
        return cleans ? tidied(text) : text;
      }),
  };
}

const tidying: readonly (readonly [from: string, to: string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

const tidied = (text: string): string =>
  tidying.reduce((now, [from, to]) => now.replaceAll(from, to), text);

/** Writes `▁` as a space, and leaves out the one put in front. */
export function readMetaspaceDecoder(fields: Fields): Decoder {
  const replacement = fields.character('replacement', '▁');
  const prepends = readPrependScheme(fields) !== 'never';
  return {
    decode: (tokens) =>
      tokens.map((token, i) => token.replaceAll(replacement, i === 0 && prepends ? '' : ' ')),
  };
}

/** Writes the end of a word as a space. */
export function readBpeDecoder(fields: Fields): Decoder {
  const suffix = fields.string('suffix', '</w>');
  return {
    decode: (tokens) =>
      tokens.map((token, i) => replaced(token, suffix, i === tokens.length - 1 ? '' : ' ')),
  };
}

/** A text with each `from` replaced; an empty one stands around each character. */
function replaced(text: string, from: string, to: string): string {
  return from === ''
    ? [to, ...[...text].flatMap((char) => [char, to])].join('')
    : text.replaceAll(from, to);
}

/**
 * Decodes connectionist temporal classification: merges repeated tokens and drops padding.
 *
 * @see Graves et al. 2006, Connectionist Temporal Classification
 */
export function readCtcDecoder(fields: Fields): Decoder {
  const padding = fields.string('pad_token', '<pad>');
  const delimiter = fields.string('word_delimiter_token', '|');
  const cleans = fields.boolean('cleanup', true);
  return {
    decode: (tokens) =>
      tokens
        .filter((token, i) => token !== tokens[i - 1])
        .map((token) => {
          const text = replaced(token, padding, '');
          return cleans ? replaced(tidied(text), delimiter, ' ') : text;
        })
        .filter((text) => text !== ''),
  };
}

/** Reads runs of tokens such as `<0x0A>` as UTF-8; each byte of an invalid run becomes U+FFFD. */
export function readByteFallback(): Decoder {
  return {
    decode(tokens) {
      const texts: string[] = [];
      let bytes: number[] = [];
      const flush = () => {
        if (bytes.length === 0) return;
        try {
          const utf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
          texts.push(utf8.decode(Uint8Array.from(bytes)));
        } catch {
          for (const _ of bytes) texts.push('\ufffd');
        }
        bytes = [];
      };
      for (const token of tokens) {
        const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
        if (hex) bytes.push(Number.parseInt(hex[1]!, 16));
        else {
          flush();
          texts.push(token);
        }
      }
      flush();
      return texts;
    },
  };
}

/** Makes all texts one. */
export const readFuse = (): Decoder => ({ decode: (tokens) => [tokens.join('')] });

/** Leaves out a character at either end of each text, so many times at most. */
export function readStripDecoder(fields: Fields): Decoder {
  const content = fields.character('content');
  const start = fields.count('start', 0);
  const stop = fields.count('stop', 0);
  return {
    decode: (tokens) =>
      tokens.map((token) => {
        const chars = [...token];
        let from = 0;
        while (from < start && chars[from] === content) from++;
        let to = chars.length;
        while (chars.length - to < stop && chars[to - 1] === content && to > from) to--;
        return chars.slice(from, to).join('');
      }),
  };
}

/** Puts a text in the place of each match of a pattern. */
export function readReplaceDecoder(fields: Fields): Decoder {
  const finder = readFinder(fields, 'pattern');
  const content = fields.string('content');
  const replace = (token: string, room: number) => {
    const units = stringToUnits(token);
    let text = '';
    let at = 0;
    for (const [start, end] of matchesIn(finder, units, 0, units.length)) {
      text += token.slice(at, start) + content;
      at = end;
      if (text.length > room) throw outgrown('decoder', room);
    }
    return text + token.slice(at);
  };
  return {
    decode(tokens, room) {
      let left = room;
      return tokens.map((token) => {
        const text = replace(token, left);
        left -= text.length;
        if (left < 0) throw outgrown('decoder', room);
        return text;
      });
    },
  };
}
