import { InputError, isEncoderDecoder } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import { RunningBatch, type RunningSequence, type StopReason } from '@headwise/generation';
import type { Tokenizer } from '@headwise/tokenizers';
import {
  type Prompt,
  promptIds,
  settingsOf,
  type TextModel,
  type TextOptions,
} from './generate-text.js';
import { writtenIn } from './languages.js';
import { TextDecoding } from './text-decoding.js';

/** A text that was generated after a prompt. */
export interface GeneratedText {
  /** Without the prompt, special tokens, and the stop text and what came behind it. */
  readonly text: string;
  /** The new tokens, without a stop id. */
  readonly ids: readonly number[];
  /** The number of tokens of the prompt. */
  readonly promptTokens: number;
  /** `Σ log p` of the new tokens, in nats, as the model gives them. */
  readonly logProbability: number;
  /** Why it ended. */
  readonly reason: StopReason;
}

/** A prompt, and who waits for its text. */
interface Asked {
  readonly prompt: Prompt;
  readonly options: TextOptions;
  readonly resolve: (text: GeneratedText) => void;
  readonly reject: (error: unknown) => void;
}

/** A sequence on its way. */
interface Going {
  readonly asked: Asked;
  readonly decoding: TextDecoding;
  readonly ids: number[];
  readonly promptTokens: number;
  text: string;
  logProbability: number;
}

/** What the sequences of a batch have in common. */
interface Batch {
  readonly batch: RunningBatch;
  readonly going: Map<RunningSequence, Going>;
}

/**
 * Texts that are generated together, whenever they are asked for: each joins the batch as soon as a place is free, and comes out as
 * `generateText` gives it alone (continuous batching).
 *
 * Where nothing is asked for it holds no tensors, so that it needs no disposing.
 *
 * @example
 * const queue = new TextQueue(model, tokenizer);
 * const [first, second] = await Promise.all([queue.write('Call me'), queue.write('The whale', { maxNewTokens: 8 })]);
 */
export class TextQueue {
  readonly #model: TextModel;
  readonly #tokenizer: Tokenizer;
  readonly #running: number;
  #waiting: Asked[] = [];
  #isWorking = false;

  /**
   * @param running the most sequences at a time; default 8
   * @throws InputError for `running` below 1
   */
  constructor(
    model: TextModel,
    tokenizer: Tokenizer,
    { running = 8 }: { running?: number | undefined } = {},
  ) {
    if (!Number.isSafeInteger(running) || running < 1) {
      throw new InputError(`running is ${running}; expected a whole number of at least 1`);
    }
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#running = running;
  }

  /**
   * Continues a text, or answers messages.
   *
   * @throws InputError as `generateText` does, and for a storage or a prefix cache that the sequences beside it do not have
   */
  write(prompt: Prompt, options: TextOptions = {}): Promise<GeneratedText> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ prompt, options, resolve, reject });
      if (!this.#isWorking) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    let open: Batch | undefined;
    while (this.#waiting.length > 0 || open) {
      // What is asked for together begins together, and a text that has ended may be followed by the next prompt.
      await nextTask();
      open = this.#join(open);
      if (!open) continue;
      const { batch, going } = open;
      const ended: (() => void)[] = [];
      try {
        for (const result of await batch.step()) ended.push(...advance(open, result));
      } catch (error) {
        // All are lost with the step, as with the device.
        ended.push(
          ...[...going.values()].map(
            ({ asked }) =>
              () =>
                asked.reject(error),
          ),
        );
        going.clear();
      }
      if (going.size === 0) {
        batch.dispose();
        open = undefined;
      }
      for (const tell of ended) tell();
    }
    this.#isWorking = false;
  }

  /** Gives free places to those that wait. */
  #join(open: Batch | undefined): Batch | undefined {
    let joined = open;
    while (this.#waiting.length > 0 && (joined?.going.size ?? 0) < this.#running) {
      const asked = this.#waiting.shift()!;
      try {
        joined = this.#add(joined, asked);
      } catch (error) {
        asked.reject(error);
      }
    }
    return joined;
  }

  #add(open: Batch | undefined, asked: Asked): Batch {
    const { chat, languages = {}, ...given } = asked.options;
    const tokenizer = this.#tokenizer;
    const { stop, ...settings } = settingsOf(this.#model, {
      ...given,
      ...writtenIn(tokenizer, languages),
    });
    const { network } = this.#model;
    const ids = promptIds(this.#model, tokenizer, asked.prompt, chat, languages.source);
    // Drafts of the model's settings change nothing but the time, and a batch has none.
    const own = { ...settings, speculation: given.speculation };
    const decoding = new TextDecoding(this.#tokenizer, isEncoderDecoder(network) ? [] : ids, stop);
    const joined = open ?? newBatch(network, settings);
    try {
      const begun = {
        asked,
        decoding,
        ids: [],
        promptTokens: ids.length,
        text: '',
        logProbability: 0,
      };
      joined.going.set(joined.batch.add(ids, own), begun);
    } catch (error) {
      if (!open) joined.batch.dispose();
      throw error;
    }
    return joined;
  }
}

function newBatch(
  network: TextModel['network'],
  { storage, prefixCache }: Pick<TextOptions, 'storage' | 'prefixCache'>,
): Batch {
  return { batch: new RunningBatch(network, { storage, prefixCache }), going: new Map() };
}

/** Adds what a step made of a sequence; gives what is to be told where that has ended. */
function advance(
  { batch, going }: Batch,
  { sequence, token, reason, error }: Awaited<ReturnType<RunningBatch['step']>>[number],
): (() => void)[] {
  const own = going.get(sequence)!;
  const pieces = [];
  if (token) {
    own.ids.push(token.id);
    own.logProbability += token.logProbability;
    pieces.push(own.decoding.push(token.id));
  }
  if (reason === 'error') {
    going.delete(sequence);
    return [() => own.asked.reject(error)];
  }
  if (reason && pieces[0]?.stop === undefined) pieces.push(own.decoding.end());
  own.text += pieces.map(({ text }) => text).join('');
  const stopped = pieces.some(({ stop }) => stop !== undefined);
  if (stopped) batch.remove(sequence);
  const why = stopped ? 'stop' : reason;
  if (!why) return [];
  going.delete(sequence);
  const { asked, ids, promptTokens, text, logProbability } = own;
  return [() => asked.resolve({ text, ids, promptTokens, logProbability, reason: why })];
}
