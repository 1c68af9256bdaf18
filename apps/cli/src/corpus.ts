import { createRequire } from 'node:module';
import { join } from 'node:path';
import { InputError } from '@headwise/core';
import { readTextCorpus } from '@headwise/data/node';
import type { Encoding } from '@headwise/tokenizers';

/**
 * Reads a corpus as one text: a file, a folder of `.txt` files, or `npm:PACKAGE`.
 *
 * A package exports texts, or a function that gives them: strings, or objects with `text` and perhaps `title`.
 *
 * @throws InputError or DataError naming what is missing or empty
 */
export async function readCorpus(corpus: string): Promise<string> {
  if (corpus.startsWith('npm:')) return packageText(corpus.slice('npm:'.length));
  const documents = await readTextCorpus(corpus);
  return documents.map(({ text }) => text).join('\n\n');
}

/** The UTF-8 length of what a model predicts of a text: all but its first token. */
export function predictedBytes(text: string, { offsets }: Pick<Encoding, 'offsets'>): number {
  return Buffer.byteLength(text.slice(offsets[0]?.[1] ?? 0));
}

function packageText(name: string): string {
  const exported = load(name);
  const texts: unknown = typeof exported === 'function' ? exported() : exported;
  const documents = Array.isArray(texts) ? texts : [texts];
  return documents.map((document, i) => textOf(document, `npm:${name}, item ${i}`)).join('\n\n');
}

/** Looks for a package where the command runs, then beside this program. */
function load(name: string): unknown {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    const require = createRequire(from);
    let path: string;
    try {
      path = require.resolve(name);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') {
        throw new InputError(`corpus 'npm:${name}': the package has no entry for require()`);
      }
      continue;
    }
    try {
      return require(path);
    } catch (error) {
      throw new InputError(`corpus 'npm:${name}': cannot be loaded: ${(error as Error).message}`);
    }
  }
  throw new InputError(`corpus 'npm:${name}': the package is not installed; npm install ${name}`);
}

function textOf(document: unknown, what: string): string {
  if (typeof document === 'string') return document;
  const { title, text } = (document ?? {}) as { title?: unknown; text?: unknown };
  if (typeof text !== 'string') throw new InputError(`${what}: has no 'text'`);
  return typeof title === 'string' ? `${title}\n\n${text}` : text;
}
