import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '@headwise/core';
import { tokensFile } from '@headwise/data';
import { type FileContent, Folder, type FolderChange } from '@headwise/files';
import { jsonText, parseJson, readConfiguration } from '@headwise/models/internal';
import { readSafetensors, streamSafetensors, toFloat32 } from '@headwise/safetensors';
import { Tokenizer } from '@headwise/tokenizers';
import { isSharded } from '../../check-run-config.js';
import { trainingIds } from '../../data.js';
import { textHash } from '../../hash.js';
import type { RunConfig, ShardData, TextData } from '../../run-config.js';
import { checkCorpus, type RunSnapshot, readSnapshot, runFileNames } from '../../run-files.js';
import { shardParts } from '../../shard-data.js';
import { readCorpus } from '../corpus.js';
import { openRunShards } from '../open-shards.js';
import { carried, slots, torchFileNames } from './layout.js';
import { ModelKeys } from './model-keys.js';

/** PyTorch's names of what AdamW has by default here. */
const adamw = { beta1: 0.9, eps: 1e-8 };

/**
 * A run with its last checkpoint as PyTorch goes on from it: the model as `from_pretrained` loads it, AdamW's moments by the keys of
 * its parameters, the tokens that it trains on or where its shards are, and `train.py`.
 *
 * @param path the run's folder
 * @param options `corpus`: where the text is now; default where the run's file says
 * @returns what to commit to another folder
 * @throws InputError for a folder without a checkpoint, another text, and a run that `train.py` cannot go on with: of a task, of
 * another objective or optimizer, with averages, or of a family that transformers lacks
 */
export async function torchFiles(
  path: string,
  { corpus }: { corpus?: string | undefined } = {},
): Promise<FolderChange> {
  const folder = await Folder.open(path);
  const run = await readSnapshot((name) => folder.read(name), path);
  const { config } = run;
  checkRun(config, path);
  const configJson = parseJson(await folder.readRequired('config.json'), `${path}/config.json`);
  const keys = new ModelKeys(readConfiguration(configJson, `${path}/config.json`));
  if (isSharded(config.data) && corpus !== undefined) {
    throw new InputError(`--corpus is ${corpus}; the run reads shards: leave it out`);
  }
  const read = isSharded(config.data)
    ? await shardsRead(path, run, config.data)
    : await textRead(path, run, config.data as TextData, corpus);

  const stateName = join(path, runFileNames.state);
  const state = readSafetensors(run.state, { name: stateName });
  const { metadata } = state;
  const paths = [...state.tensors.keys()].flatMap((name) => /^params\.(.*)$/.exec(name)?.[1] ?? []);
  const tensors = (nameOf: (path: string) => string) =>
    keys.give(
      paths.map((path) => {
        const name = nameOf(path);
        const values = () => toFloat32(state.get(name), { file: stateName, key: name });
        return { path, shape: state.tensors.get(name)!.shape, values };
      }),
    );
  const weights = tensors((path) => `params.${path}`);
  const moments = Object.fromEntries(
    slots.flatMap(([ours, theirs]) =>
      Object.entries(tensors((path) => `adamw.${ours}.${path}`)).map(([key, tensor]) => [
        `${theirs}.${key}`,
        tensor,
      ]),
    ),
  );
  const { training, model } = config;
  const { beta1, eps } = adamw;
  const torchRun = {
    format: 'headwise-torch-1',
    step: Number(metadata.step),
    updates: Number(metadata.updates),
    random: JSON.parse(metadata.random!),
    context: model.context,
    ...read.settings,
    ...training,
    betas: [beta1, training.beta2],
    eps,
  };
  const write: Record<string, FileContent> = {
    'config.json': await folder.readRequired('config.json'),
    'model.safetensors': streamSafetensors(weights, { format: 'pt' }),
    [torchFileNames.moments]: streamSafetensors(moments, { format: 'pt' }),
    [torchFileNames.run]: jsonText(torchRun),
    ...read.files,
    [torchFileNames.script]: await readFile(new URL('../../../python/train.py', import.meta.url)),
  };
  for (const name of [...carried, runFileNames.history]) {
    const bytes = await folder.read(name);
    if (bytes) write[name] = bytes;
  }
  return { write };
}

/** What `train.py` reads: keys of `torch.json`, and files. */
interface Read {
  readonly settings: object;
  readonly files: Record<string, FileContent>;
}

async function textRead(
  path: string,
  { config, corpus: trainedOn, tokenizer }: RunSnapshot,
  { corpus: place }: TextData,
  corpus: string | undefined,
): Promise<Read> {
  const text = await readCorpus(corpus ?? place);
  const name = corpus ? `--corpus ${corpus}` : `'data.corpus' ${place}`;
  checkCorpus(path, trainedOn, await textHash(text), name);
  const ids = trainingIds(config, text, Tokenizer.fromBytes(tokenizer));
  return {
    settings: { tokens: ids.length },
    files: { [torchFileNames.tokens]: bytesOf(Int32Array.from(ids)) },
  };
}

/** Shards stay where they are. */
async function shardsRead(
  path: string,
  { corpus: trainedOn }: RunSnapshot,
  data: ShardData,
): Promise<Read> {
  const opened = await openRunShards(data);
  const name = data.shards ? `'data.shards' ${data.shards}` : `'data.mixture' ${data.mixture}`;
  checkCorpus(path, trainedOn, opened.sha256, name);
  const { curriculum } = opened.settings;
  const shards = shardParts(data, opened).train.map(({ shards, start, end, weight }) => ({
    folder: resolve(shards.name),
    dtype: shards.manifest.dtype,
    files: shards.manifest.shards.map((shard) => ({
      path: tokensFile(shard.name),
      tokens: shard.tokens,
    })),
    ...{ start, end, weight },
  }));
  return { settings: { shards, ...(curriculum && { curriculum }) }, files: {} };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function checkRun({ data, objective = 'causal-lm', training }: RunConfig, path: string): void {
  const refuse = (key: string, given: unknown, expected: string): never => {
    throw new InputError(
      `${path}: '${key}' is ${JSON.stringify(given)}; train.py goes on with ${expected}`,
    );
  };
  if (objective !== 'causal-lm') refuse('objective', objective, 'causal-lm');
  if ('packing' in data && data.packing !== undefined) {
    refuse('data.packing', data.packing, 'windows over the whole text');
  }
  if (training.optimizer !== 'adamw') refuse('training.optimizer', training.optimizer, 'adamw');
  if (training.emaDecay !== undefined) {
    refuse('training.emaDecay', training.emaDecay, 'runs without averages of weights');
  }
  if (training.precision === 'mixed') {
    refuse('training.precision', training.precision, 'runs in float32');
  }
  if ('task' in data) refuse('data', data, "a text, 'data.corpus', or 'data.shards'");
}
