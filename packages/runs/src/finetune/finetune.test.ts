import { checkExamples } from '@headwise/data';
import { createModel } from '@headwise/models';
import { trainCharacter } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { HistoryEntry } from '../history.js';
import { Session } from '../session.js';
import type { RunStorage, SavedState } from '../storage.js';
import { type FinetuneSettings, parseFinetuneConfig } from './config.js';
import { methodFormats, prepareFinetune } from './prepare.js';
import { finetuneWork } from './work.js';

const tokenizer = await trainCharacter(['abcdefghijklmnopqrstuvwxyz ?!.']);

const model = () =>
  createModel({
    model_type: 'llama',
    vocab_size: tokenizer.vocabSize + 1,
    hidden_size: 24,
    intermediate_size: 48,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    max_position_embeddings: 32,
    bos_token_id: null,
    eos_token_id: null,
  });
const endId = tokenizer.vocabSize;

/** Words and the same words backwards. */
const pairs = Array.from({ length: 24 }, (_, i) => {
  const word = String.fromCharCode(97 + (i % 24), 97 + ((i * 5) % 24), 97 + ((i * 7) % 24));
  return { prompt: `${word}?`, completion: [...word].reverse().join('') };
});

/** Keeps the last checkpoint in memory. */
class Memory implements RunStorage {
  history: HistoryEntry[] = [];
  #state: SavedState | undefined;
  state = async () => this.#state;
  async rewind(steps: number) {
    this.history = this.history.filter((entry) =>
      'loss' in entry ? entry.step < steps : entry.step <= steps,
    );
    return { validated: steps > 0 };
  }
  note(entry: HistoryEntry) {
    this.history.push(entry);
  }
  async save({ state }: { state: AsyncIterable<Uint8Array> }) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of state) chunks.push(chunk.slice());
    this.#state = { name: 'memory', bytes: Buffer.concat(chunks) };
  }
}

async function run(settings: FinetuneSettings, rows: unknown[], storage = new Memory(), most = 99) {
  const config = parseFinetuneConfig(settings);
  const examples = checkExamples(rows, { name: 'rows', accepted: methodFormats[config.method] });
  const base = model();
  const data = prepareFinetune(config, { examples, tokenizer, endId }, base);
  const session = await Session.of(finetuneWork(config, data, base), storage);
  await session.begin();
  for (let made = 0; made < most && (await session.advance()); made++);
  await session.save();
  session.dispose();
  const losses = storage.history.flatMap((entry) => ('loss' in entry ? [entry.loss] : []));
  const validations = storage.history.flatMap((entry) =>
    'validation' in entry ? [entry.validation.loss] : [],
  );
  return { losses, validations, data, storage };
}

// What is frozen beside an adapter is random here, so that it can learn little.
const fall = { sft: 0.5, lora: 0.03 };

describe.each(['sft', 'lora'] as const)('%s', (method) => {
  const training = { steps: 30, learningRate: 0.02, batchSize: 8, checkpointEvery: 10 };

  test('learns completions, and what it was not trained on is measured before and after', async () => {
    const { numTensors } = tf.memory();
    const { losses, validations } = await run({ method, training }, pairs);
    expect(losses).toHaveLength(30);
    expect(validations).toHaveLength(2);
    expect(losses.at(-1)).toBeLessThan(losses[0]! - fall[method]);
    expect(validations[1]).toBeLessThan(validations[0]! - fall[method]);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  test('an interrupted run makes the losses of one that is not, to the bit', async () => {
    const short = { method, training: { ...training, steps: 6, accumulate: 2 } };
    const straight = await run(short, pairs);
    const broken = await run(short, pairs, new Memory(), 3);
    expect(broken.losses).toHaveLength(3);
    const resumed = await run(short, pairs, broken.storage);
    expect(resumed.losses).toEqual(straight.losses);
  });
});
