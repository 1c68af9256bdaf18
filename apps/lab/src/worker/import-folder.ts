import { readSnapshot } from '@headwise/runs';
import { readSafetensors } from '@headwise/safetensors';
import { configOfRunFile } from '../model/run-file.js';
import { saveProgress } from '../store/database.js';
import { addEntry, noNews, type RunRecord } from '../store/records.js';
import { writeState } from './stored-run.js';

/**
 * Takes over a run from its folder, as `headwise train` writes it and the lab exports it, to go on with it here.
 *
 * @param files by their paths in the folder
 * @throws InputError naming what is missing, cannot be read, or is not in the lab's form; nothing is kept then
 */
export async function importFolder(
  files: ReadonlyMap<string, Blob>,
  { id, name }: { id: string; name: string },
): Promise<RunRecord> {
  const open = async (path: string) => {
    const file = files.get(path);
    return file && new Uint8Array(await file.arrayBuffer());
  };
  const { config, corpus, history, state, tokenizer } = await readSnapshot(open, name);
  const { metadata } = readSafetensors(state, { name: `${name}/trainer/state.safetensors` });
  const step = Number(metadata.step);
  const record: RunRecord = {
    id,
    name,
    config: configOfRunFile(config, `${name}/trainer/config.json`),
    status: 'paused',
    createdAt: Date.now(),
    step: 0,
    seconds: 0,
    checkpoint: step,
    ...(corpus === undefined ? {} : { corpus }),
  };
  const news = noNews();
  for (const entry of history) addEntry(record, news, entry, Number.NaN);
  record.step = step;
  await writeState(id, step, { state, tokenizer });
  await saveProgress(record, news);
  return record;
}
