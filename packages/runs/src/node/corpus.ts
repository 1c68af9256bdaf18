import { existsSync, realpathSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, resolve, sep } from 'node:path';
import { InputError } from '@headwise/core';
import { readTextCorpus } from '@headwise/data/node';

/**
 * Reads a corpus as one text: a file, a folder of `.txt` files, or `npm:PACKAGE`, with a separator between its documents.
 *
 * A package exports texts, or a function that gives them: strings, or objects with `text` and perhaps `title`.
 *
 * @param separator default a blank line
 * @param from the configuration file; a package is resolved from its folder, then from the working directory
 * @throws InputError or DataError naming what is missing or empty
 */
export async function readCorpus(
  corpus: string,
  from?: string,
  separator = '\n\n',
): Promise<string> {
  const documents = corpus.startsWith('npm:')
    ? packageTexts(corpus.slice('npm:'.length), from)
    : (await readTextCorpus(corpus)).map(({ text }) => text);
  return documents.join(separator);
}

/** What npm takes as the name of a package: a path, a version or a part of a package is not one. */
const packageName = /^(?=.{1,214}$)(?:@[a-z\d~-][a-z\d._~-]*\/)?[a-z\d~-][a-z\d._~-]*$/;

function packageTexts(name: string, from: string | undefined): string[] {
  if (!packageName.test(name) || isBuiltin(name) || name === 'node_modules') {
    throw new InputError(`corpus 'npm:${name}': '${name}' is not the name of a package on npm`);
  }
  const exported = load(name, from);
  const texts: unknown = typeof exported === 'function' ? exported() : exported;
  const documents = Array.isArray(texts) ? texts : [texts];
  return documents.map((document, i) => textOf(document, `npm:${name}, item ${i}`));
}

/** Resolves a package in the `node_modules` of those folders and the folders above them, and nowhere else. */
function load(name: string, asker: string | undefined): unknown {
  const projects = [...(asker === undefined ? [] : [dirname(resolve(asker))]), process.cwd()];
  const project = projects.find((folder) => installed(name, folder) !== undefined);
  if (project === undefined) {
    throw new InputError(`corpus 'npm:${name}': the package is not installed; npm install ${name}`);
  }
  const require = createRequire(join(project, 'package.json'));
  try {
    const path = require.resolve(name);
    const folder = realpathSync(installed(name, project)!);
    if (!realpathSync(path).startsWith(folder + sep))
      throw new Error('its entry lies outside of it');
    return require(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new InputError(
      code === 'ERR_PACKAGE_PATH_NOT_EXPORTED'
        ? `corpus 'npm:${name}': the package has no entry for require()`
        : `corpus 'npm:${name}': cannot be loaded: ${message}`,
      { cause: error },
    );
  }
}

/** Where a package lies for a folder: in its `node_modules`, or in those of a folder above. */
function installed(name: string, folder: string): string | undefined {
  const place = join(folder, 'node_modules', name);
  if (existsSync(place)) return place;
  const above = dirname(folder);
  return above === folder ? undefined : installed(name, above);
}

function textOf(document: unknown, what: string): string {
  if (typeof document === 'string') return document;
  const { title, text } = (document ?? {}) as { title?: unknown; text?: unknown };
  if (typeof text !== 'string') throw new InputError(`${what}: has no 'text'`);
  return typeof title === 'string' ? `${title}\n\n${text}` : text;
}
