import { InputError, ShapeError } from '@headwise/core';
import type { LoraOptions, WeightDtype } from '@headwise/models';
import { availableMemory } from '@headwise/models/internal';
import * as tf from '@tensorflow/tfjs';
import { type MemoryPlan, type PlanOptions, planMemory } from './plan-memory.js';
import type { PlannedBatch } from './planned-objective.js';

/** What `planMemory` takes. */
export interface PlannedRun {
  configuration: unknown;
  batch: PlannedBatch;
  options?: PlanOptions | undefined;
}

/** What a caller can change of a run, cheapest first, in its own words; what is absent is not offered. */
export interface RemedyWords {
  /** Fewer rows a batch and as many more batches an update: the same update, in more time. */
  batch?: ((rows: number, accumulate: number) => string) | undefined;
  /** Activations computed again in the backward pass: the same update, in about a fifth more time. */
  checkpoint?: string | undefined;
  /** Low-rank updates in place of all weights. */
  lora?: { words: string; options: LoraOptions } | undefined;
  /** Frozen weights in fewer bits, where low-rank updates are trained. */
  dtype?: ((dtype: WeightDtype) => string) | undefined;
  /** Shorter sequences. */
  tokens?: ((tokens: number) => string) | undefined;
}

/** A change of a run, with those before it, and what is planned with them. */
export interface PlannedRemedy {
  words: string;
  /** Bytes; undefined where a tensor is still larger than a buffer of the device. */
  peak: number | undefined;
  fits: boolean;
}

/** A plan needs more memory than there is. */
export class MemoryPlanError extends InputError {
  override readonly name = 'MemoryPlanError';
  constructor(
    message: string,
    /** Undefined where a tensor is larger than a buffer of the device. */
    readonly plan: MemoryPlan | undefined,
    /** Bytes. */
    readonly limit: number,
    /** Each on top of those before it, until the plan fits. */
    readonly remedies: readonly PlannedRemedy[],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface PlanWithinOptions {
  /** Bytes of memory; default what the system allows this process, and on a GPU 256 GiB, as no GPU says what it has. */
  limit?: number | undefined;
  remedies?: RemedyWords | undefined;
}

/**
 * Plans the memory of a run as `planMemory` does, and refuses one that is over the limit or the device's buffers.
 *
 * @throws MemoryPlanError with the parts of the plan, and the cheapest changes that bring it under the limit, each planned
 * @throws InputError, BackendError as `planMemory` does
 * @example
 * await planWithin({ configuration, batch: { rows: 8, tokens: 512 } }, {
 *   limit: 4e9,
 *   remedies: { checkpoint: 'checkpoint: true', tokens: (tokens) => `tokens: ${tokens}` },
 * });
 */
export async function planWithin(
  run: PlannedRun,
  { limit = availableMemory(), remedies = {} }: PlanWithinOptions = {},
): Promise<MemoryPlan> {
  if (!(limit > 0)) {
    throw new InputError(`planWithin: limit is ${limit}; expected bytes, more than 0`);
  }
  const planned = await planOf(run);
  if (planned.plan && planned.plan.peak <= limit) return planned.plan;
  const tried: PlannedRemedy[] = [];
  let now = run;
  for (const candidates of remediesOf(run, remedies)) {
    const found = await firstWithin([...candidates(now)], limit);
    if (!found) continue;
    now = found.run;
    tried.push(found.remedy);
    if (found.remedy.fits) break;
  }
  const message = refusal(planned, limit, tried);
  throw new MemoryPlanError(message, planned.plan, limit, tried, { cause: planned.error });
}

/** A run with a change, and the words for the change. */
interface Change {
  words: string;
  run: PlannedRun;
}

const changed = (
  { configuration, batch, options }: PlannedRun,
  change: { batch?: Partial<PlannedBatch>; options?: PlanOptions },
): PlannedRun => ({
  configuration,
  batch: { ...batch, ...change.batch },
  options: { ...options, ...change.options },
});

/** The kinds of changes in the order of what they cost; each gives its sizes, the mildest first. */
function remediesOf(
  run: PlannedRun,
  words: RemedyWords,
): ((now: PlannedRun) => Iterable<Change>)[] {
  const { batch, options = {} } = run;
  const { accumulate = 1 } = options;
  const isPacked = (options.dtype ?? 'f32') !== 'f32';
  const isAdapter = options.lora !== undefined || (words.lora !== undefined && !isPacked);
  const fewerBits = (['int8', 'int4'] as const).filter(
    (dtype) => isAdapter && options.dtype !== 'int4' && dtype !== options.dtype,
  );
  return [
    function* fewerRows(now) {
      if (!words.batch) return;
      for (let parts = 2; parts <= batch.rows; parts *= 2) {
        const rows = Math.ceil(batch.rows / parts);
        const more = Math.ceil(batch.rows / rows) * accumulate;
        const change = { batch: { rows }, options: { accumulate: more } };
        yield { words: words.batch(rows, more), run: changed(now, change) };
      }
    },
    function* checkpointing(now) {
      if (!words.checkpoint || options.checkpoint) return;
      yield { words: words.checkpoint, run: changed(now, { options: { checkpoint: true } }) };
    },
    function* lora(now) {
      if (!words.lora || options.lora) return;
      const change = { options: { lora: words.lora.options } };
      yield { words: words.lora.words, run: changed(now, change) };
    },
    ...fewerBits.map(
      (dtype) =>
        function* packed(now: PlannedRun) {
          if (!words.dtype) return;
          yield { words: words.dtype(dtype), run: changed(now, { options: { dtype } }) };
        },
    ),
    function* fewerTokens(now) {
      if (!words.tokens) return;
      for (let tokens = batch.tokens >> 1; tokens >= leastTokens; tokens >>= 1) {
        const sourceTokens = batch.sourceTokens && Math.min(batch.sourceTokens, tokens);
        yield {
          words: words.tokens(tokens),
          run: changed(now, { batch: { tokens, sourceTokens } }),
        };
      }
    },
  ];
}

/** Shorter sequences are not worth their memory. */
const leastTokens = 16;

/**
 * The mildest change within the limit, else the last one; undefined where there is none.
 *
 * @param changes each takes less than those before it, so that few of them have to be planned
 */
async function firstWithin(
  changes: readonly Change[],
  limit: number,
): Promise<{ run: PlannedRun; remedy: PlannedRemedy } | undefined> {
  const planned = async ({ words, run }: Change) => {
    const peak = (await planOf(run)).plan?.peak;
    return { run, remedy: { words, peak, fits: peak !== undefined && peak <= limit } };
  };
  if (changes.length === 0) return undefined;
  let best = await planned(changes.at(-1)!);
  let [low, high] = [0, changes.length - 1];
  while (best.remedy.fits && low < high) {
    const middle = (low + high) >> 1;
    const milder = await planned(changes[middle]!);
    if (milder.remedy.fits) [best, high] = [milder, middle];
    else low = middle + 1;
  }
  return best;
}

/** Buffers of a backend without a GPU are as large as its memory, and steps are not recorded there. */
const hostLimits = { maxBufferSize: 2 ** 48, maxStorageBufferBindingSize: 2 ** 48 };

type Planned = { plan: MemoryPlan; error?: undefined } | { plan?: undefined; error: ShapeError };

async function planOf({ configuration, batch, options }: PlannedRun): Promise<Planned> {
  const own = tf.getBackend() === 'webgpu' ? {} : { limits: hostLimits, record: false };
  try {
    return { plan: await planMemory(configuration, batch, { ...own, ...options }) };
  } catch (error) {
    if (error instanceof ShapeError) return { error };
    throw error;
  }
}

function refusal({ plan, error }: Planned, limit: number, tried: readonly PlannedRemedy[]): string {
  const what = plan
    ? [
        `training needs ${inUnits(plan.peak)} of memory at its peak (${plan.during}); the limit is ${inUnits(limit)}`,
        `  ${planParts(plan)}`,
      ]
    : [`training cannot be held by the device: ${error!.message}`];
  if (tried.length === 0) return what.join('\n');
  const width = Math.max(...tried.map(({ words }) => words.length));
  const lines = tried.map(({ words, peak, fits }) => {
    const needs = peak === undefined ? 'a tensor larger than the device holds' : inUnits(peak);
    return `  ${words.padEnd(width)}  ${needs}${fits ? ', which fits' : ''}`;
  });
  const end = tried.at(-1)!.fits ? [] : ['none of them is enough: take a smaller model'];
  return [
    ...what,
    'what takes less, the cheapest first, each together with those above it:',
    ...lines,
    ...end,
  ].join('\n');
}

/** A plan in words: `2.1 GB at its peak (backward): weights 498 MB, gradients 498 MB, …`. */
export const planText = (plan: MemoryPlan): string =>
  `${inUnits(plan.peak)} at its peak (${plan.during}): ${planParts(plan)}`;

function planParts(plan: MemoryPlan): string {
  const { weights, gradients, optimizer, averages, activations, logits } = plan;
  const kept = averages > 0 ? { averages } : {};
  return Object.entries({ weights, gradients, optimizer, ...kept, activations, logits })
    .map(([name, bytes]) => `${name} ${inUnits(bytes)}`)
    .join(', ');
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes for people: `4.1 GB`. */
function inUnits(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 100 && power > 0 ? value.toPrecision(3) : Math.round(value)} ${units[power]}`;
}
