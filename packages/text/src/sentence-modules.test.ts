import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isEncoder } from '@headwise/core';
import { type Tokenizer, trainCharacter } from '@headwise/tokenizers';
import { saveTokenizer } from '@headwise/tokenizers/node';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { embed, type LoadedEncoder, loadAny } from './node.js';

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await trainCharacter(['abcdefgh ']);
});

const module = (type: string, path = '') => ({
  type: `sentence_transformers.models.${type}`,
  path,
});
const transformer = module('Transformer');
const normalize = module('Normalize', '2_Normalize');

/** A folder of sentence-transformers: a tiny encoder, its tokenizer and its modules. */
async function folderWith(modules?: unknown, pooling?: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headwise-sentence-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(new URL('../../parity/goldens/bert', import.meta.url), folder, { recursive: true });
  await saveTokenizer(tokenizer, join(folder, 'tokenizer.json'));
  if (modules) await writeFile(join(folder, 'modules.json'), JSON.stringify(modules));
  if (!pooling) return folder;
  await mkdir(join(folder, '1_Pooling'));
  await writeFile(join(folder, '1_Pooling/config.json'), JSON.stringify(pooling));
  return folder;
}

async function encoderIn(folder: string): Promise<LoadedEncoder> {
  const loaded = await loadAny(folder);
  onTestFinished(() => loaded.model.params.dispose());
  const { network } = loaded.model;
  if (!isEncoder(network)) throw new Error('expected an encoder');
  return { ...loaded, model: { ...loaded.model, network } };
}

test('a folder of sentence-transformers is embedded with the pooling that it names', async () => {
  const modules = [transformer, module('Pooling', '1_Pooling'), normalize];
  const pooling = { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false };
  const { model } = await encoderIn(await folderWith(modules, pooling));
  expect(model.pooling).toBe('cls');
  const ids = [[1, 2, 3, 4]];
  const own = await embed(model, tokenizer, ids);
  expect(own).toEqual(await embed(model, tokenizer, ids, { pooling: 'cls' }));
  expect(own).not.toEqual(await embed(model, tokenizer, ids, { pooling: 'mean' }));
  const plain = await encoderIn(await folderWith());
  expect(await embed(plain.model, tokenizer, ids)).toEqual(
    await embed(model, tokenizer, ids, { pooling: 'mean' }),
  );
});

test.each<[string, unknown, object | undefined, string]>([
  ['a further module', [transformer, module('Dense', '2_Dense')], undefined, 'models.Dense'],
  [
    'another pooling',
    [transformer, module('Pooling', '1_Pooling')],
    { pooling_mode_weightedmean_tokens: true },
    'the pooling is ["pooling_mode_weightedmean_tokens"]',
  ],
  [
    'two poolings',
    [module('Pooling', '1_Pooling')],
    { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true },
    'expected one of pooling_mode_mean_tokens',
  ],
  ['no settings', [module('Pooling', '1_Pooling')], undefined, '1_Pooling/config.json is missing'],
  ['a path out of the folder', [module('Pooling', '..')], undefined, '../config.json is missing'],
  ['no list', { a: 1 }, undefined, 'expected a list of modules'],
])('%s is refused by name', async (_, modules, pooling, message) => {
  await expect(loadAny(await folderWith(modules, pooling))).rejects.toThrow(message);
});
