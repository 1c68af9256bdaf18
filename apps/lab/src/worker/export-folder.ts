import { InputError } from '@headwise/core';
import { keyOf } from '@headwise/models';
import { readSafetensors, type TensorInput, writeSafetensors } from '@headwise/safetensors';
import { withContext } from '../data/size-of-data.js';
import { buildModel } from '../model/build.js';
import { readRunFile } from '../store/files.js';
import type { RunRecord } from '../store/records.js';

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * The files of a run's last saved state in the Hugging Face layout, by name.
 *
 * @throws InputError where nothing is saved, or no family has the model's parts
 */
export async function exportFolder(
  record: RunRecord,
): Promise<Record<string, string | Uint8Array>> {
  const state =
    record.checkpoint === undefined
      ? undefined
      : await readRunFile(record.id, `state-${record.checkpoint}.safetensors`);
  const tokenizer = await readRunFile(record.id, 'tokenizer.json');
  if (!state || !tokenizer) {
    throw new InputError(`${record.name} has no saved state yet; let it train, then export it`);
  }
  const file = readSafetensors(state, { name: `the saved state of ${record.name}` });
  const { model, training } = withContext(record.config);
  const { checkpoint, params } = buildModel(model, record.vocabSize!, training.seed);
  params.dispose();
  if (!checkpoint) throw new InputError('no model family of Hugging Face has these parts');
  const tensors: Record<string, TensorInput> = {};
  for (const name of file.tensors.keys()) {
    const [, path] = /^params\.(.+)$/.exec(name) ?? [];
    if (path !== undefined) tensors[keyOf(checkpoint.family, path)] = file.get(name);
  }
  return {
    'config.json': json(checkpoint.family.configJson(checkpoint.config)),
    'generation_config.json': json({ do_sample: true, temperature: 0.8, top_p: 1 }),
    'model.safetensors': writeSafetensors(tensors, { format: 'pt' }),
    'tokenizer.json': tokenizer,
    'lab.json': json({ name: record.name, step: record.checkpoint, config: record.config }),
  };
}
