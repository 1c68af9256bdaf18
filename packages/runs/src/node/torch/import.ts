import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { checkFinite, InputError } from '@headwise/core';
import { type FileContent, Folder, type FolderChange } from '@headwise/files';
import { describeCheckpoint, type ModelConfiguration } from '@headwise/models';
import { modelParts, parseJson, readConfiguration } from '@headwise/models/internal';
import { folderFiles } from '@headwise/models/node';
import {
  type LazyTensorInput,
  readSafetensors,
  type SafetensorsFile,
  streamSafetensors,
  toFloat32,
} from '@headwise/safetensors';
import { Tokenizer } from '@headwise/tokenizers';
import { modelConfig } from '../../model.js';
import { parseRunConfig } from '../../parse-run-config.js';
import { runFileNames } from '../../run-files.js';
import { carried, parseTorchRun, slots, torchFileNames } from './layout.js';
import { ModelKeys } from './model-keys.js';

/** A run that comes back, and where it stands. */
export interface ImportedRun {
  /** What to commit to the run's folder. */
  change: FolderChange;
  family: string;
  /** Steps made. */
  step: number;
  /** Steps in all. */
  steps: number;
}

/**
 * A run that `train.py` went on with, as a folder from which `headwise train --resume` goes on, AdamW's moments included.
 *
 * @param path the folder that `train.py` wrote
 * @throws InputError where a file or a moment is missing, a tensor has another shape or values that are not finite, or the model is
 * another one than the run's
 */
export async function importedRun(path: string): Promise<ImportedRun> {
  const folder = await Folder.open(path);
  const required = async (name: string): Promise<Uint8Array> => {
    const bytes = await folder.read(name);
    if (bytes) return bytes;
    throw new InputError(
      `${path}: has no ${name}; expected the folder of an exported run, as train.py writes it`,
    );
  };
  const json = async (name: string) => parseJson(await required(name), join(path, name));
  const run = parseTorchRun(await json(torchFileNames.run), join(path, torchFileNames.run));
  const config = parseRunConfig(await json(runFileNames.config), join(path, runFileNames.config));
  const given = readConfiguration(await json('config.json'), join(path, 'config.json'));
  const keys = new ModelKeys(given);
  const { vocabSize } = Tokenizer.fromBytes(await required(runFileNames.tokenizer));
  const own = modelParts(modelConfig(config.model, vocabSize), `${path}: 'model'`);
  checkSameModel(given.family.preset(given.config), own, path);

  // All that is missing in the model is listed in one error.
  const { parameters } = await describeCheckpoint(folderFiles(path));
  const file = async (name: string) =>
    readSafetensors(await required(name), { name: join(path, name) });
  const weights = await file('model.safetensors');
  const moments = await file(torchFileNames.moments);
  const tensors: Record<string, LazyTensorInput> = {};
  for (const { path: parameter, key, shape } of parameters) {
    const put = (name: string, from: SafetensorsFile, at: string) => {
      const data = () => {
        const values = toFloat32(from.get(at), { file: path, key: at });
        checkFinite(`${path}: tensor '${at}'`, values);
        return keys.take(parameter, values);
      };
      tensors[`${name}.${parameter}`] = { dtype: 'F32', shape, data };
    };
    put('params', weights, key);
    for (const [ours, theirs] of slots) {
      const name = `${theirs}.${keys.keyOf(parameter)}`;
      const held = keys.shapeOf(parameter, shape);
      checkMoment(moments, name, held, join(path, torchFileNames.moments));
      put(`adamw.${ours}`, moments, name);
    }
  }
  const metadata = {
    format: 'headwise-trainer-1',
    optimizer: 'adamw',
    step: String(run.step),
    updates: String(run.updates),
    random: JSON.stringify(run.random),
  };
  const write: Record<string, FileContent> = {
    [runFileNames.state]: streamSafetensors(tensors, metadata, { name: path }),
  };
  for (const name of [...carried, runFileNames.history, 'config.json', 'model.safetensors']) {
    const bytes = await folder.read(name);
    if (bytes) write[name] = bytes;
  }
  return {
    change: { write },
    family: given.family.modelType,
    step: run.step,
    steps: config.training.steps,
  };
}

function checkMoment(
  { tensors }: SafetensorsFile,
  name: string,
  shape: readonly number[],
  file: string,
): void {
  const found = tensors.get(name)?.shape;
  if (found?.join() === shape.join()) return;
  throw new InputError(
    `${file}: tensor '${name}' is ${found ? `[${found.join(', ')}]` : 'missing'}; the model needs [${shape.join(', ')}]`,
  );
}

/** Throws where the model that comes back is another one than the run's. */
function checkSameModel(given: ModelConfiguration, own: ModelConfiguration, path: string): void {
  for (const key of Object.keys({ ...given, ...own }) as (keyof ModelConfiguration)[]) {
    if (isDeepStrictEqual(given[key], own[key])) continue;
    throw new InputError(
      `${path}/config.json: '${key}' is ${JSON.stringify(given[key])}; the run has ${JSON.stringify(own[key])}`,
    );
  }
}
