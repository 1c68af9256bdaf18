import { InputError, quoted } from '@headwise/core';
import type { CheckpointFiles } from '@headwise/models';
import { openJson } from '@headwise/models/internal';
import type { Pooling } from './pooling.js';

const modulesName = 'modules.json';

/** Keys of a pooling's configuration that choose it. */
const modes: Readonly<Record<string, Pooling>> = {
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_lasttoken: 'last',
};

/**
 * The pooling that a folder of sentence-transformers asks for; undefined where it has no `modules.json`.
 *
 * @throws InputError for modules after the pooling that would change a vector, and for another pooling
 * @see https://sbert.net/docs/package_reference/sentence_transformer/modules.html
 */
export async function poolingOf(files: CheckpointFiles): Promise<Pooling | undefined> {
  const found = await openJson(files, modulesName);
  if (!found) return undefined;
  const modules: unknown[] = Array.isArray(found.json) ? found.json : [found.json];
  let pooling: Pooling | undefined;
  for (const module of modules) {
    const { type, path } = Object(module) as { type?: unknown; path?: unknown };
    if (typeof type !== 'string' || typeof path !== 'string') {
      throw new InputError(
        `${found.name}: ${quoted(module)}; expected a list of modules with type and path`,
      );
    }
    const kind = type.split('.').at(-1)!;
    if (kind === 'Pooling' && pooling === undefined) pooling = await readPooling(files, path);
    // The length of a vector is the caller's choice.
    else if (kind !== 'Transformer' && kind !== 'Normalize') {
      throw new InputError(
        `${found.name}: the module ${quoted(type)} is not supported; expected Transformer, Pooling and Normalize`,
      );
    }
  }
  return pooling;
}

async function readPooling(files: CheckpointFiles, path: string): Promise<Pooling> {
  const file = `${path}/config.json`;
  const found = /^\w+$/.test(path) ? await openJson(files, file) : undefined;
  if (!found) throw new InputError(`${file} is missing; ${modulesName} names it`);
  const chosen = Object.entries(found.json as object).flatMap(([key, value]) =>
    key.startsWith('pooling_mode_') && value === true ? [key] : [],
  );
  const pooling = chosen.length === 1 ? modes[chosen[0]!] : undefined;
  if (pooling) return pooling;
  throw new InputError(
    `${found.name}: the pooling is ${quoted(chosen)}; expected one of ${Object.keys(modes).join(', ')}`,
  );
}
