import { checkpointTensors } from '@headwise/models/internal';
import { snapshotFiles } from '@headwise/runs';
import { streamSafetensors } from '@headwise/safetensors';
import { runFileOf } from '../model/run-file.js';
import { historyOf } from '../store/database.js';
import { entriesOf, historyUpTo, type RunRecord } from '../store/records.js';
import { savedModel } from './saved-model.js';

/**
 * The folder of a run at its last checkpoint, by the names of its files: the model in the Hugging Face layout, and `trainer/`,
 * from which `headwise train --resume` goes on.
 *
 * @throws InputError where nothing is saved
 */
export async function exportFolder(
  record: RunRecord,
): Promise<Record<string, string | Uint8Array>> {
  const { model, files } = await savedModel(record);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of streamSafetensors(checkpointTensors(model), { format: 'pt' })) {
      chunks.push(chunk);
    }
    const history = historyUpTo(await historyOf(record.id), record.checkpoint!);
    return {
      'config.json': `${JSON.stringify(model.family.configJson(model.config), null, 2)}\n`,
      'model.safetensors': new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()),
      ...snapshotFiles({
        config: runFileOf(record.config),
        corpus: record.corpus,
        history: entriesOf(history),
        ...files,
      }),
    };
  } finally {
    model.params.dispose();
  }
}
