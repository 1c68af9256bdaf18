import { InputError } from '@headwise/core';
import type { Prompt } from '@headwise/text';
import type { PromptReader } from './reader.js';
import type { AnyValue, CutSide, ListSlot, Slot, TextSlot } from './slots.js';
import { type ExampleName, type PromptTemplate, type PromptValues, placeOf } from './template.js';

/** Options of `fitPrompt`. Lengths are in tokens. */
export interface FitOptions extends ExampleName {
  /** Tokens that the prompt has at most. Default the model's context without the answer. */
  budget?: number | undefined;
  /** Tokens of the context that are kept for the answer, where no budget is given. Default 0. */
  answer?: number | undefined;
}

/** What a budget left out of a slot. */
export interface PromptCut {
  /** The slot's name. */
  readonly slot: string;
  /** What it was cut in: characters (UTF-16 code units) of a text, or items of a list. */
  readonly unit: 'characters' | 'items';
  /** How many of them the value had, and how many stayed. */
  readonly before: number;
  readonly after: number;
  /** The tokens that the prompt is shorter by. */
  readonly tokens: number;
  /** Why this slot was cut, in words. */
  readonly reason: string;
}

/** A prompt within its budget. */
export interface FittedPrompt<Written extends Prompt = Prompt> {
  /** As `write` gives it, of the values that stayed. */
  readonly prompt: Written;
  /** The ids that it is given to the model as. */
  readonly ids: readonly number[];
  /** The values that stayed. */
  readonly values: PromptValues;
  /** Infinite where neither a budget is given nor the model's context limited. */
  readonly budget: number;
  /** What was left out, in the order in which it was; empty where the prompt fits as it is. */
  readonly cuts: readonly PromptCut[];
}

/**
 * Writes a prompt within a budget of the model's tokens, and says what it cut and why.
 *
 * Where the prompt is too long, slots are shortened one after the other, those of the lowest priority first, each as little as the budget
 * asks for: texts at the bounds of words, lists by items as a whole. Slots that are `whole` stay as they are.
 *
 * @throws InputError as `write` does; for a budget below 1; where the slots that are whole and the template itself are longer than the budget, or a
 * list cannot keep its least number of items: naming the prompt, the example, and both numbers
 * @example
 * const { ids, cuts } = fitPrompt(ask, { passages, question }, promptReader(loaded), { answer: 64 });
 */
export function fitPrompt<Values, Written extends Prompt>(
  template: PromptTemplate<Values, Written>,
  values: Values,
  reader: PromptReader,
  { budget, answer = 0, example }: FitOptions = {},
): FittedPrompt<Written> {
  const where = placeOf(template.name, example);
  const limit = limitOf(reader, { budget, answer, where });
  let kept = template.valuesOf(values, { example });
  const idsOf = (other: PromptValues) => reader.encode(template.render(other));
  let ids = idsOf(kept);
  const full = ids.length;
  const cuts: PromptCut[] = [];
  for (const name of cuttable(template.slots)) {
    if (ids.length <= limit) break;
    const slot = template.slots[name] as TextSlot | ListSlot;
    const steps = stepsOf(slot, kept[name]!);
    const withSteps = (count: number) => ({ ...kept, [name]: steps.keep(count) });
    const count = mostThatFit(steps.least, steps.count, (n) => idsOf(withSteps(n)).length <= limit);
    const shorter = withSteps(count);
    const fewer = idsOf(shorter);
    if (fewer.length >= ids.length) continue;
    const others = ids.length === full ? '' : ` still has ${ids.length} of its ${full} tokens,`;
    cuts.push({
      slot: name,
      unit: steps.unit,
      before: steps.sizeOf(kept[name]!),
      after: steps.sizeOf(shorter[name]!),
      tokens: ids.length - fewer.length,
      reason: `the prompt${others || ` has ${full} tokens,`} the budget is ${limit}; '${name}' has priority ${slot.priority ?? 0}, the lowest of those left to cut`,
    });
    kept = shorter;
    ids = fewer;
  }
  if (ids.length > limit) throw tooLong(template, kept, { where, tokens: ids.length, limit });
  return { prompt: template.render(kept), ids, values: kept, budget: limit, cuts };
}

/** Slots that may be shortened, the first to be so first. */
function cuttable(slots: Readonly<Record<string, Slot>>): string[] {
  const priorityOf = (name: string) => (slots[name] as ListSlot).priority ?? 0;
  return Object.keys(slots)
    .filter((name) => slots[name]!.kind !== 'number')
    .filter((name) => !(slots[name] as ListSlot).whole && !(slots[name] as TextSlot).oneOf)
    .reverse()
    .sort((a, b) => priorityOf(a) - priorityOf(b));
}

interface Steps {
  readonly unit: PromptCut['unit'];
  /** The steps of the whole value, and those that have to stay. */
  readonly count: number;
  readonly least: number;
  /** The value with some of its steps. */
  keep(count: number): AnyValue;
  sizeOf(value: AnyValue): number;
}

/** A value in the steps that it is shortened by. */
function stepsOf(slot: TextSlot | ListSlot, value: AnyValue): Steps {
  const { cut = 'end' } = slot;
  if (typeof value !== 'string') {
    const items = value as readonly string[];
    return {
      unit: 'items',
      count: items.length,
      least: Math.min((slot as ListSlot).least ?? 0, items.length),
      keep: (count) => keptItems(items, count, cut),
      sizeOf: (other) => (other as readonly string[]).length,
    };
  }
  const bounds = wordBounds(value);
  return {
    unit: 'characters',
    count: bounds.length,
    least: 0,
    keep: (count) => keptText(value, bounds, { count, cut }),
    sizeOf: (other) => (other as string).length,
  };
}

const keptItems = (items: readonly string[], count: number, cut: CutSide): readonly string[] =>
  cut === 'end' ? items.slice(0, count) : items.slice(items.length - count);

function keptText(
  text: string,
  bounds: readonly number[],
  { count, cut }: { count: number; cut: CutSide },
): string {
  if (count === bounds.length) return text;
  if (count === 0) return '';
  return cut === 'end'
    ? text.slice(0, bounds[count - 1]).trimEnd()
    : text.slice(bounds[bounds.length - count - 1]).trimStart();
}

let segmenter: Intl.Segmenter | undefined;

/** Where the words of a text and what stands between them end, in code units. */
function wordBounds(text: string): number[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'word' });
  return Array.from(segmenter.segment(text), ({ index, segment }) => index + segment.length);
}

/** The greatest count from `least` to below `most` that fits; `least` where none does. */
function mostThatFit(least: number, most: number, fits: (count: number) => boolean): number {
  let [low, high] = [least, most - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  // A longer value may have fewer tokens, as its last ones merge.
  while (low > least && !fits(low)) low--;
  return Math.max(low, least);
}

function limitOf(
  { contextLength }: PromptReader,
  { budget, answer, where }: { budget: number | undefined; answer: number; where: string },
): number {
  if (!Number.isSafeInteger(answer) || answer < 0) {
    throw new InputError(
      `${where}: ${answer} tokens are kept for the answer; expected a whole number of at least 0`,
    );
  }
  const limit = budget ?? contextLength - answer;
  if (limit >= 1 && (Number.isSafeInteger(limit) || limit === Number.POSITIVE_INFINITY)) {
    return limit;
  }
  throw new InputError(
    budget === undefined
      ? `${where}: the budget is ${limit}, a context of ${contextLength} tokens without ${answer} for the answer; expected at least 1`
      : `${where}: the budget is ${budget}; expected a whole number of at least 1`,
  );
}

function tooLong<Values>(
  { slots }: PromptTemplate<Values>,
  values: PromptValues,
  { where, tokens, limit }: { where: string; tokens: number; limit: number },
): InputError {
  const fixed = Object.keys(slots).filter((name) => {
    const { whole, oneOf } = slots[name] as TextSlot;
    return whole || oneOf || slots[name]!.kind === 'number';
  });
  const lists = Object.keys(slots).flatMap((name) => {
    const { least = 0 } = slots[name] as ListSlot;
    const items = values[name];
    return least > 0 && Array.isArray(items) && items.length > 0
      ? [`${items.length} ${items.length === 1 ? 'item' : 'items'} of '${name}'`]
      : [];
  });
  const kept = [...fixed.map((name) => `'${name}'`), ...lists];
  const why = kept.length > 0 ? `: its text and ${kept.join(', ')}, which have to stay` : '';
  return new InputError(
    `${where}: has ${tokens} tokens${why}; the budget is ${limit}: shorten them, or give a greater one`,
  );
}
