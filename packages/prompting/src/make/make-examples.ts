import { InputError } from '@headwise/core';
import type { TextOptions } from '@headwise/text';
import { checkCount } from '../check-count.js';
import type { PromptModel } from '../prompt-model.js';
import { LeftOut } from './left-out.js';
import { MakeRun, type MakeSettings } from './make-run.js';
import type {
  DraftRow,
  LeftOutRow,
  MadeEntry,
  MakeItem,
  Making,
  PastEntry,
  Recipe,
} from './recipe.js';
import type { RowFilter } from './row-filter.js';

/** Options of `makeExamples`. */
export interface MakeOptions {
  /** The model that writes. */
  readonly model: PromptModel;
  /** The same seed, model and backend make the same rows. Default 0. */
  readonly seed?: number | undefined;
  /** Of what is written; judges have their own. Default 0.7. */
  readonly temperature?: number | undefined;
  /** Tokens of an answer at most. Default 256. */
  readonly maxNewTokens?: number | undefined;
  /** More options of generation, such as `stop`. */
  readonly options?:
    | Omit<TextOptions, 'seed' | 'temperature' | 'maxNewTokens' | 'signal'>
    | undefined;
  /** How often an answer outside its form is asked for again before its item is left out. Default 2. */
  readonly retries?: number | undefined;
  /** Keep answers that reached `maxNewTokens` before their end. Default false: they are left out. */
  readonly keepUnfinished?: boolean | undefined;
  /** Items that are worked on at a time; their prompts run in one batch of a model of ours. Default 32. */
  readonly together?: number | undefined;
  /** What rows have to pass, in order. */
  readonly filters?: readonly RowFilter[] | undefined;
  /** What an earlier run has made, in order; it is not made again. Default nothing. */
  readonly past?: readonly PastEntry[] | undefined;
  /** Ends the work, with its reason as the error. */
  readonly signal?: AbortSignal | undefined;
  /** Called before each round with the number of its items. */
  readonly onRound?: ((round: number, items: number) => void) | undefined;
}

const defaults = { seed: 0, temperature: 0.7, maxNewTokens: 256, retries: 2, together: 32 };

/**
 * Makes examples of items by a model, several items at a time, and gives what became of each in the order of the items.
 *
 * The rows do not depend on `together`, nor on where a run was ended and gone on with through `past`.
 *
 * @throws InputError for options out of range; what the model throws, such as a ServerModelError; the signal's reason
 * @example
 * for await (const { rows, leftOut } of makeExamples(responses(queries), { model, seed: 1 })) console.log(rows, leftOut);
 */
export async function* makeExamples<Item extends MakeItem>(
  recipe: Recipe<Item>,
  options: MakeOptions,
): AsyncGenerator<MadeEntry, void> {
  const { filters = [], past: before = [], together = defaults.together } = options;
  const settings = settingsOf(recipe.name, options);
  checkCount('together', together, 1);
  const past: PastEntry[] = [...before];
  for (const { rows } of past) {
    for (const { unique } of rows) for (const filter of filters) filter.keep?.(unique);
  }
  let next = 0;
  for (let round = 0; ; round++) {
    const items = recipe.items(round, past.slice(0, next));
    if (items.length === 0) break;
    options.onRound?.(round, items.length);
    const done = past.slice(next).filter((entry) => entry.round === round).length;
    next += done;
    const going = inOrder(items.slice(done), together, options.signal, (item, n, signal) =>
      madeOf(recipe, item, settings, { round, item: done + n, signal }),
    );
    for await (const { entry, drafts } of going) {
      const made = await filtered(entry, drafts, filters);
      const { asked: _, ...rest } = made;
      past.push(rest);
      next++;
      yield made;
    }
  }
}

interface Place {
  readonly round: number;
  readonly item: number;
  readonly signal: AbortSignal;
}

type Unfiltered = { readonly entry: MadeEntry; readonly drafts: readonly DraftRow[] };

/** What a recipe makes of an item; an item that cannot be made is left out with its reason. */
async function madeOf<Item extends MakeItem>(
  recipe: Recipe<Item>,
  item: Item,
  settings: MakeSettings,
  { round, item: number, signal }: Place,
): Promise<Unfiltered> {
  const { place } = item;
  const run = new MakeRun(settings, { place, key: `${round}/${number}`, signal });
  const {
    rows,
    leftOut = [],
    state,
  } = await recipe.make(item, run).catch((error): Making => {
    if (!(error instanceof LeftOut)) throw error;
    return { rows: [], leftOut: [{ rule: error.rule, reason: error.message }] };
  });
  const own = { round, item: number, place, rows: [], leftOut };
  const entry = { ...own, ...(state !== undefined && { state }), asked: run.asked };
  return { entry, drafts: rows };
}

/** An entry with the rows that pass all filters. */
async function filtered(
  entry: MadeEntry,
  drafts: readonly DraftRow[],
  filters: readonly RowFilter[],
): Promise<MadeEntry> {
  const rows: MadeEntry['rows'][number][] = [];
  const leftOut: LeftOutRow[] = [...entry.leftOut];
  for (const draft of drafts) {
    const { example, instruction, answers } = draft;
    const unique = draft.unique ?? [instruction, ...answers].join('\n');
    const refused = await refusalOf({ ...draft, unique }, filters);
    if (refused) {
      const reason = `${entry.place}: ${refused.reason}`;
      leftOut.push({ rule: refused.rule, reason, example });
      continue;
    }
    for (const filter of filters) filter.keep?.(unique);
    rows.push({ example, unique });
  }
  return { ...entry, rows, leftOut };
}

async function refusalOf(
  row: Required<DraftRow> & { unique: string },
  filters: readonly RowFilter[],
) {
  for (const filter of filters) {
    const refused = await filter.check(row);
    if (refused) return refused;
  }
  return undefined;
}

/** Works on several items at a time and gives what comes of them in their order; where one fails the others are ended. */
async function* inOrder<T, R>(
  items: readonly T[],
  together: number,
  outer: AbortSignal | undefined,
  work: (item: T, n: number, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<R> {
  const stop = new AbortController();
  const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal;
  const going: Promise<R>[] = [];
  let next = 0;
  try {
    while (next < items.length || going.length > 0) {
      while (next < items.length && going.length < together) {
        const n = next++;
        const made = work(items[n]!, n, signal);
        // An item that fails is told when its turn comes.
        made.catch(() => {});
        going.push(made);
      }
      signal.throwIfAborted();
      yield await going.shift()!;
    }
  } finally {
    stop.abort(new Error('the work has ended'));
    await Promise.allSettled(going);
  }
}

/** The settings of a run, complete and checked. */
export function settingsOf(
  recipe: string,
  { model, options = {}, keepUnfinished = false, ...given }: MakeOptions,
): MakeSettings {
  const {
    seed = defaults.seed,
    temperature = defaults.temperature,
    maxNewTokens = defaults.maxNewTokens,
    retries = defaults.retries,
  } = given;
  checkCount('seed', seed, 0);
  checkCount('maxNewTokens', maxNewTokens, 1);
  checkCount('retries', retries, 0);
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw new InputError(`temperature is ${temperature}; expected a number of at least 0`);
  }
  const own = { recipe, model, seed, temperature, retries, keepUnfinished };
  return { ...own, options: { ...options, maxNewTokens } };
}
