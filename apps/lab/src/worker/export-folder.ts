import { checkpointTensors } from '@headwise/models/internal';
import { streamSafetensors } from '@headwise/safetensors';
import type { RunRecord } from '../store/records.js';
import { savedModel } from './run-session.js';

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * The files of a run's last saved state in the Hugging Face layout, by name.
 *
 * @throws InputError where nothing is saved
 */
export async function exportFolder(
  record: RunRecord,
): Promise<Record<string, string | Uint8Array>> {
  const { model, tokenizer } = await savedModel(record);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of streamSafetensors(checkpointTensors(model), { format: 'pt' })) {
      chunks.push(chunk);
    }
    return {
      'config.json': json(model.family.configJson(model.config)),
      'generation_config.json': json({ do_sample: true, temperature: 0.8, top_k: 0, top_p: 1 }),
      'model.safetensors': new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()),
      'tokenizer.json': JSON.stringify(tokenizer.toJSON()),
      'lab.json': json({ name: record.name, step: record.checkpoint, config: record.config }),
    };
  } finally {
    model.params.dispose();
  }
}
