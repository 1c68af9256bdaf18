import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { headwiseHere, type Result, repository } from './headwise.js';

export const goldens: string = join(repository, 'packages/parity/goldens');
const { tokenizer } = JSON.parse(
  readFileSync(join(repository, 'packages/text/src/goldens/sentences.json'), 'utf8'),
);

/**
 * A folder of a golden's tiny checkpoint with a vocabulary of words: `w9` has the id 9.
 *
 * @param bare without the special tokens that are else added around a text
 */
export function wordFolder(work: string, name: string, { bare = false } = {}): string {
  const folder = join(work, bare ? `${name}-bare` : name);
  mkdirSync(folder);
  for (const file of ['config.json', 'model.safetensors']) {
    cpSync(join(goldens, name, file), join(folder, file));
  }
  const json = bare ? { ...tokenizer, post_processor: null } : tokenizer;
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(json));
  return folder;
}

/** Inspects a model for machines, on cpu: no shader is compiled for what a few numbers show. */
export function inspected(model: string, page: string, ...args: string[]): Promise<Result> {
  const fixed = ['--model', model, '--out', page, '--json', '--backend', 'cpu'];
  return headwiseHere(['inspect', ...fixed, ...args]);
}
