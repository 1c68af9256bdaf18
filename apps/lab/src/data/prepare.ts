import { prepareData as prepareRun, type RunData } from '@headwise/runs';
import type { RunConfig } from '../model/run-config.js';
import { runFileOf } from '../model/run-file.js';

/** Characters of a text that are prepared to see whether a run can learn from them; longer ones always can. */
const quickText = 2 ** 18;

/**
 * Refuses what a run cannot learn from, before there is a run.
 *
 * @throws InputError saying what is too short, and what would do
 */
export async function checkData(config: RunConfig, text: string | undefined): Promise<void> {
  if (text !== undefined && text.length <= quickText) await prepareData(config, text);
}

/**
 * The tokenizer and the batches of a run.
 *
 * @param text the corpus, where the source is one
 * @param tokenizer the bytes of the run's own, where it has one already
 * @throws InputError where the text is too short
 */
export function prepareData(
  config: RunConfig,
  text: string | undefined,
  tokenizer?: Uint8Array,
): Promise<RunData> {
  const given = tokenizer && { bytes: tokenizer, name: 'tokenizer.json' };
  return prepareRun(runFileOf(config), { text, tokenizer: given });
}
