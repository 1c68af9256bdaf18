import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, type Network } from '@headwise/core';
import { AdaptedModel, type Model } from '@headwise/models';
import { loadAdapter } from '@headwise/models/node';

/**
 * Throws unless a folder holds a LoRA adapter in the layout of PEFT; nothing of it is read.
 *
 * @throws InputError naming the file that is missing
 */
export async function checkAdapterFolder(folder: string): Promise<void> {
  for (const name of ['adapter_config.json', 'adapter_model.safetensors']) {
    if (await stat(join(folder, name)).catch(() => undefined)) continue;
    throw new InputError(
      `--adapter '${folder}': has no ${name}; expected a LoRA adapter in the layout of PEFT`,
    );
  }
}

/**
 * A model with an adapter: merged into its weights, or beside them where those are packed.
 */
export async function withAdapter<N extends Network, M extends Model<N>>(
  model: M,
  folder: string,
): Promise<M> {
  const lora = await loadAdapter(folder, model);
  const packed = Object.values(model.params.matrices()).some((matrix) => matrix.packed);
  if (packed) return { ...model, network: new AdaptedModel(model.network, lora) };
  lora.merge();
  lora.params.dispose();
  return model;
}
