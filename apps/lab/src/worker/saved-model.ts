import { InputError, type LanguageModel } from '@headwise/core';
import type { Model } from '@headwise/models';
import { newModel } from '@headwise/runs';
import { readSafetensors } from '@headwise/safetensors';
import { Tokenizer } from '@headwise/tokenizers';
import { restoreWeights } from '@headwise/training';
import { runFileOf } from '../model/run-file.js';
import type { RunRecord } from '../store/records.js';
import { savedState, savedTokenizer } from './stored-run.js';

/** What is saved of a run, as files. */
export interface SavedFiles {
  state: Uint8Array;
  tokenizer: Uint8Array;
}

/** @throws InputError where nothing of the run is saved */
export async function savedFiles(record: RunRecord): Promise<SavedFiles> {
  const [state, tokenizer] = await Promise.all([savedState(record), savedTokenizer(record)]);
  if (state && tokenizer) return { state: state.bytes, tokenizer: tokenizer.bytes };
  throw new InputError(`${record.name} has no saved state yet; let it train, then try again`);
}

/**
 * The model of a run that is not training, as it was saved last, and its tokenizer.
 *
 * @throws InputError where nothing of it is saved
 */
export async function savedModel(
  record: RunRecord,
): Promise<{ model: Model<LanguageModel>; tokenizer: Tokenizer; files: SavedFiles }> {
  const files = await savedFiles(record);
  const tokenizer = Tokenizer.fromBytes(files.tokenizer);
  const state = readSafetensors(files.state, { name: `the saved state of ${record.name}` });
  const model = newModel(runFileOf(record.config), tokenizer.vocabSize);
  try {
    restoreWeights(model.params.named(), state, `the saved state of ${record.name}`);
  } catch (error) {
    model.params.dispose();
    throw error;
  }
  return { model, tokenizer, files };
}
