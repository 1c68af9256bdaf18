import { InputError } from '@headwise/core';
import { hashText } from '@headwise/core/internal';
import type { JsonValue } from '@headwise/data';
import type { Prompt, TextOptions } from '@headwise/text';
import type { Extractor } from '../answers/extract.js';
import { fitPrompt } from '../fit.js';
import type { PromptModel, WrittenText } from '../prompt-model.js';
import { ServerModelError } from '../server/requests.js';
import { type PromptTemplate, placeOf } from '../template.js';
import { LeftOut } from './left-out.js';

/** A prompt that a model was asked, and what it answered. */
export interface AskedRecord {
  /** The prompt's name. */
  readonly name: string;
  readonly model: string;
  readonly prompt: Prompt;
  readonly answer: string;
  readonly seed: number;
  readonly temperature: number;
  /** Why the answer ended. */
  readonly reason: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Why the answer was asked for again. */
  readonly problem?: string | undefined;
}

/** Where a row's text comes from. */
export interface Provenance {
  readonly recipe: string;
  readonly model: string;
  /** Which weights these were; null where a server does not say. */
  readonly revision: string | null;
  /** The name of the prompt; its text is in the run's description. */
  readonly prompt: string;
  readonly seed: number;
  readonly temperature: number;
  /** The item that it was made of. */
  readonly source: string;
}

/** How `MakeRun.ask` asks. */
export interface AskOptions<T> extends TextOptions {
  /** The model to ask. Default the run's. */
  model?: PromptModel | undefined;
  /** Tells the answers to one prompt about one item apart. Default 0. */
  n?: number | undefined;
  /** Finds the value in the answer. An answer without one is asked for again. Default the text without white space around it. */
  extract?: Extractor<T> | undefined;
  /** Keep white space before the answer's text. Default false. */
  keepSpace?: boolean | undefined;
}

/** A model's answer, and what it comes from. */
export interface Answered<T> {
  readonly value: T;
  /** Why the answer ended: `length` where it reached `maxNewTokens`. */
  readonly reason: string;
  readonly made: Provenance;
}

/** What holds for all items of a run. */
export interface MakeSettings {
  readonly recipe: string;
  readonly model: PromptModel;
  readonly seed: number;
  readonly temperature: number;
  /** Of generation. */
  readonly options: TextOptions;
  /** How often an answer outside its form is asked for again. */
  readonly retries: number;
  readonly keepUnfinished: boolean;
}

/** Above 0, so that another answer can come than the one that was outside its form. */
const retryTemperature = 0.7;

/** The work on one item: asks models, and keeps every prompt and answer. */
export class MakeRun {
  readonly model: PromptModel;
  readonly place: string;
  readonly #settings: MakeSettings;
  /** Round and item. */
  readonly #key: string;
  readonly #asked = new Map<string, AskedRecord>();
  readonly #signal: AbortSignal;

  /** For `makeExamples`. */
  constructor(
    settings: MakeSettings,
    { place, key, signal }: { place: string; key: string; signal: AbortSignal },
  ) {
    this.model = settings.model;
    this.place = place;
    this.#settings = settings;
    this.#key = key;
    this.#signal = signal;
  }

  /** A number below 2³¹ that depends on the run's seed, the item and some names alone. */
  seedOf(...names: readonly (string | number)[]): number {
    return hashText([this.#settings.seed, this.#key, ...names].join('/')) >>> 1;
  }

  /** What was asked, in the order of names and numbers, which does not depend on which answer came first. */
  get asked(): readonly AskedRecord[] {
    return [...this.#asked]
      .sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
      .map(([, record]) => record);
  }

  /**
   * Writes a prompt within the model's context and asks.
   *
   * An answer in which `extract` finds nothing is asked for again, with other seeds and a temperature of at least 0.7.
   *
   * @throws LeftOut naming prompt and example, where a prompt does not fit, an answer does not come to its end, or none has its form;
   * ServerModelError naming both, where a server fails
   */
  async ask<Values, T = string>(
    template: PromptTemplate<Values, Prompt>,
    given: Values,
    { model = this.model, n = 0, extract, keepSpace, ...own }: AskOptions<T> = {},
  ): Promise<Answered<T>> {
    const { options, retries, recipe } = this.#settings;
    const where = placeOf(template.name, this.place);
    const settings = { ...options, ...own };
    const values = Object.fromEntries(
      Object.entries(given as object).filter(([slot]) => Object.hasOwn(template.slots, slot)),
    ) as Values;
    const prompt = this.#written(template, values, { model, settings, where });
    const first = settings.temperature ?? this.#settings.temperature;
    let problem = '';
    for (let tried = 0; tried <= retries; tried++) {
      const temperature = tried === 0 ? first : Math.max(first, retryTemperature);
      const seed = this.seedOf(template.name, n, tried);
      const asked = { ...settings, temperature, seed, signal: this.#signal };
      const written = await writtenBy(model, prompt, asked, where);
      this.#signal.throwIfAborted();
      const { text, reason } = written;
      const found: Found<T> = extract
        ? extract(text)
        : wholeAnswer<T>(written, this.#settings.keepUnfinished, keepSpace);
      const key = [template.name, pad(n), pad(tried)].join('/');
      this.#asked.set(key, {
        ...{ name: template.name, model: model.name, prompt, answer: text, seed, temperature },
        ...{ reason, promptTokens: written.promptTokens, answerTokens: written.tokens },
        ...('problem' in found && { problem: found.problem }),
      });
      if ('value' in found) {
        const by = { model: model.name, revision: model.revision ?? null };
        const made = { recipe, ...by, prompt: template.name, seed, temperature };
        return { value: found.value, reason, made: { ...made, source: this.place } };
      }
      problem = found.problem;
      if (found.rule !== undefined) throw new LeftOut(found.rule, `${where}: ${problem}`);
    }
    const times = retries > 0 ? `, as in ${retries} before it` : '';
    throw new LeftOut('outside its form', `${where}: ${problem}${times}`);
  }

  #written<Values>(
    template: PromptTemplate<Values, Prompt>,
    values: Values,
    { model, settings, where }: { model: PromptModel; settings: TextOptions; where: string },
  ): Prompt {
    const { contextLength } = model;
    if (contextLength === Number.POSITIVE_INFINITY) {
      return template.write(values, { example: this.place });
    }
    const answer = settings.maxNewTokens ?? 0;
    if (answer >= contextLength) {
      throw new InputError(
        `${where}: maxNewTokens is ${answer}; expected less than ${contextLength}, the context of '${model.name}'`,
      );
    }
    template.valuesOf(values, { example: this.place });
    try {
      return fitPrompt(template, values, model, { answer, example: this.place }).prompt;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new LeftOut('too long', error.message, { cause: error });
    }
  }
}

/** A value, or why there is none; an answer with a rule is not asked for again. */
type Found<T> =
  | { readonly value: T }
  | { readonly problem: string; readonly rule?: string | undefined };

/** The text of an answer that came to its end. */
function wholeAnswer<T>(
  { text, tokens, reason }: WrittenText,
  keepUnfinished: boolean,
  keepSpace = false,
): Found<T> {
  if (reason === 'length' && !keepUnfinished) {
    return { rule: 'unfinished', problem: `the answer has no end within ${tokens} tokens` };
  }
  if (text.trim() === '') return { rule: 'empty', problem: 'the answer is empty' };
  return { value: (keepSpace ? text.trimEnd() : text.trim()) as T };
}

async function writtenBy(model: PromptModel, prompt: Prompt, options: TextOptions, where: string) {
  try {
    const [written] = await model.write([prompt], options);
    return written!;
  } catch (error) {
    if (!(error instanceof ServerModelError)) throw error;
    throw new ServerModelError(`${where}: ${error.message}`, { cause: error });
  }
}

const pad = (n: number): string => String(n).padStart(6, '0');

/** What a row says of where it comes from. */
export const provenanceJson = (made: Provenance, more: Readonly<Record<string, JsonValue>> = {}) =>
  ({ ...made, ...more }) as unknown as JsonValue;
