import { prepareData } from '@headwise/runs';
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
  if (text === undefined || text.length > quickText) return;
  await prepareData(runFileOf(config), { text });
}
