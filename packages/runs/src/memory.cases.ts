import { prepareData } from './data.js';
import {
  type HistoryEntry,
  hasValidation,
  historyBefore,
  type ValidationEntry,
} from './history.js';
import type { RunConfig } from './run-config.js';
import { Session } from './session.js';
import type { SavedState } from './storage.js';

/** Keeps the history and the last checkpoint in memory. */
export class Memory {
  history: HistoryEntry[] = [];
  #saved: SavedState | undefined;
  state = async (): Promise<SavedState | undefined> => this.#saved;
  note = (entry: HistoryEntry): void => void this.history.push(entry);
  async rewind(steps: number): Promise<{ validated: boolean }> {
    this.history = historyBefore(this.history, steps);
    return { validated: hasValidation(this.history, steps) };
  }
  async save({ state }: { state: AsyncIterable<Uint8Array> }): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of state) chunks.push(chunk.slice());
    this.#saved = { name: 'memory', bytes: Buffer.concat(chunks) };
  }

  get losses(): number[] {
    return this.history.flatMap((entry) => ('loss' in entry ? [entry.loss] : []));
  }

  get validations(): ValidationEntry['validation'][] {
    return this.history.flatMap((entry) => ('validation' in entry ? [entry.validation] : []));
  }
}

/** Trains a run's model on a text, from the last checkpoint, and ends after so many steps of this session. */
export async function trainOn(
  text: string,
  config: RunConfig,
  { storage = new Memory(), most = Number.POSITIVE_INFINITY } = {},
): Promise<Memory> {
  const data = await prepareData(config, { text });
  const session = await Session.open({ config, data, storage });
  await session.begin();
  for (let made = 0; made < most && (await session.advance()); made++);
  await session.save();
  session.dispose();
  return storage;
}
