import { AdaptedModel, Lora } from '@headwise/models';
import { AdamW, causalLanguageModel } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { prepareData } from './data.js';
import {
  type HistoryEntry,
  hasValidation,
  historyBefore,
  historyText,
  parseHistory,
} from './history.js';
import { parseRunConfig } from './parse-run-config.js';
import type { RunData } from './run-data.js';
import { Session } from './session.js';
import type { SessionWork } from './session-work.js';
import type { SavedState } from './storage.js';
import { trainingWork } from './training-work.js';

const text = Array.from({ length: 30 }, (_, i) => `the ${i % 7} whales saw ${i % 5} ships.`).join(
  '\n',
);
const config = parseRunConfig({
  model: { dim: 16, heads: 2, layers: 2, context: 12, dropout: 0.1 },
  tokenizer: { kind: 'character' },
  data: { corpus: 'a.txt' },
  training: { steps: 6, batchSize: 2, learningRate: 0.01, checkpointEvery: 2, precision: 'mixed' },
});

/** Keeps the last checkpoint in memory, and the history as its file holds it. */
class Memory {
  #lines = '';
  #saved: SavedState | undefined;
  get history(): HistoryEntry[] {
    const { entries, unreadable } = parseHistory(this.#lines);
    expect(unreadable).toBe(0);
    return entries;
  }
  state = async () => this.#saved;
  note(entry: HistoryEntry): void {
    this.#lines += historyText([entry]);
  }
  async rewind(steps: number) {
    const before = historyBefore(this.history, steps);
    this.#lines = historyText(before);
    return { validated: hasValidation(before, steps) };
  }
  async save({ state }: { state: AsyncIterable<Uint8Array> }) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of state) chunks.push(chunk.slice());
    this.#saved = { name: 'memory', bytes: Buffer.concat(chunks) };
  }
}

/** A loss so large that its scaled gradients overflow, until the scale has come down. */
function steep(work: SessionWork): SessionWork {
  const { objective } = work;
  const loss: typeof objective.loss = (batch, ctx) =>
    tf.tidy(() => objective.loss(batch, ctx).mul(32) as tf.Scalar);
  return { ...work, objective: { ...objective, loss } };
}

/** The same run with an adapter that is trained in place of the weights. */
function adapted(work: SessionWork): SessionWork {
  const adapter = new Lora(work.model.params, { rank: 2, targets: /blocks/, seed: 1 });
  work.optimizer.dispose();
  return {
    ...work,
    adapter,
    optimizer: new AdamW(adapter.params.named()),
    objective: causalLanguageModel(new AdaptedModel(work.model.network, adapter)),
  };
}

const variants: Record<string, (work: SessionWork) => SessionWork> = {
  'skips steps': steep,
  'accumulates batches and computes blocks again': (work) => ({
    ...work,
    pace: { ...work.pace, accumulate: 2, checkpointActivations: true },
  }),
  'trains an adapter': adapted,
};

for (const [name, change] of Object.entries(variants)) {
  test(`a run in mixed precision that ${name} resumes to the bit`, async () => {
    const data = (await prepareData(config, { text })) as RunData;
    const { numTensors } = tf.memory();
    const run = async (storage: Memory, most: number) => {
      const session = await Session.of(change(trainingWork(config, data)), storage);
      await session.begin();
      for (let made = 0; made < most && (await session.advance()); made++);
      session.dispose();
      // Without the time that steps took.
      return storage.history.map((entry) => ('loss' in entry ? { ...entry, ms: 0 } : entry));
    };
    const straight = await run(new Memory(), 6);
    const storage = new Memory();
    await run(storage, 3);
    const resumed = await run(storage, 6);
    expect(resumed).toEqual(straight);
    const steps = straight.flatMap((entry) => ('loss' in entry ? [entry] : []));
    expect(steps.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5]);
    const skipped = steps.filter((step) => step.skipped);
    expect(skipped.length > 0).toBe(name === 'skips steps');
    expect(skipped.length).toBeLessThan(5);
    for (const step of steps) expect('gradientNorm' in step).toBe(!step.skipped);
    expect(steps[0]!.lossScale).toBe(65_536);
    expect(steps.at(-1)!.lossScale).toBe(65_536 / 2 ** skipped.length);
    expect(tf.memory().numTensors).toBe(numTensors);
  });
}
