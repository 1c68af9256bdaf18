import { bankOf, type Progress } from './phrases.js';

/** What a step sorts. */
interface Ranked {
  readonly score: number;
  readonly progress: Progress;
}

/**
 * Sequences in the order of constrained beam search: in turns the best of each bank, which holds those that have come equally far
 * with their phrases, beginning with those that have come farthest.
 *
 * @see Post and Vilar 2018, https://arxiv.org/abs/1804.06609
 */
export function inTurns<T extends Ranked>(items: readonly T[]): T[] {
  const ranked = items
    .map((item) => ({ item, bank: bankOf(item.progress) }))
    // A bank weighs as much as 100 nats, as in Hugging Face's search.
    .sort((a, b) => 100 * (b.bank - a.bank) + b.item.score - a.item.score);
  let place = 0;
  const turns = ranked.map(({ item, bank }, n) => {
    place = n > 0 && bank === ranked[n - 1]!.bank ? place + 1 : 0;
    return { item, place };
  });
  return turns.sort((a, b) => a.place - b.place).map(({ item }) => item);
}
