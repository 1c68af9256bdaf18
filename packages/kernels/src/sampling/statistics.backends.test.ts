import { Random, readTensor } from '@headwise/core';
import { cases, chiSquaredP, describeBackends, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, inject, test } from 'vitest';
import { sampleTokens } from './index.js';
import type { SamplingOptions } from './options.js';
import { samplingCandidates } from './reference.js';

/** The first ids of an order until their weights reach a sum. */
function firstUntil(order: readonly number[], weights: readonly number[], sum: number): number[] {
  let reached = 0;
  return order.filter((id) => {
    const before = reached;
    reached += weights[id]!;
    return before < sum;
  });
}

/** The probabilities by the definitions of the cut-offs alone, in float64. @param scores `[V]` */
function exactly(scores: ArrayLike<number>, options: SamplingOptions): number[] {
  const {
    temperature = 1,
    topK,
    topP,
    minP,
    typicalP,
    epsilonCutoff,
    etaCutoff,
    topNSigma,
  } = options;
  const raw = Array.from(scores, (score) => score / temperature);
  const largest = Math.max(...raw);
  const softmax = (kept: readonly boolean[]) => {
    const weights = raw.map((x, id) => (kept[id] ? Math.exp(x - largest) : 0));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  };
  const everything = raw.map(() => true);
  const p = softmax(everything);
  const entropy = -p.reduce((sum, q) => sum + (q > 0 ? q * Math.log(q) : 0), 0);
  const until = (order: number[], part: number) => {
    const kept = firstUntil(order, p, part);
    return everything.map((_, id) => kept.includes(id));
  };
  const falling = [...raw.keys()].sort((a, b) => raw[b]! - raw[a]!);
  if (topK) return softmax(raw.map((x) => x >= raw[falling[topK - 1]!]!));
  if (topP) return softmax(until(falling, topP));
  if (minP) return softmax(p.map((q) => q >= minP * Math.max(...p)));
  if (epsilonCutoff) return softmax(p.map((q) => q >= epsilonCutoff));
  if (etaCutoff) {
    const least = Math.min(etaCutoff, Math.sqrt(etaCutoff) * Math.exp(-entropy));
    return softmax(p.map((q) => q >= least));
  }
  if (typicalP) {
    const distance = p.map((q) => Math.abs(-Math.log(q) - entropy));
    return softmax(
      until(
        [...raw.keys()].sort((a, b) => distance[a]! - distance[b]!),
        typicalP,
      ),
    );
  }
  if (topNSigma) {
    const mean = raw.reduce((a, b) => a + b, 0) / raw.length;
    const deviation = Math.sqrt(raw.reduce((sum, x) => sum + (x - mean) ** 2, 0) / raw.length);
    return softmax(raw.map((x) => x >= largest - topNSigma * deviation));
  }
  return p;
}

const drawn: SamplingOptions[] = [
  {},
  { topP: 0.8 },
  { typicalP: 0.7 },
  { topK: 7 },
  { minP: 0.08 },
  { epsilonCutoff: 0.02 },
  { etaCutoff: 0.05 },
  { topNSigma: 1.2 },
  { temperature: 0.7 },
  { temperature: 1.6 },
];
const vocabulary = 30;

describeBackends('the distribution of sampleTokens', (backend) => {
  // The software driver takes a millisecond a draw.
  const few = backend === 'webgpu' ? 2000 : 10_000;
  const draws = inject('full') ? 100_000 : few;
  // Flat, ordinary and peaked rows.
  const all = drawn.map((options, i) => ({ options, spread: [1.5, 0.5, 4][i % 3]!, row: i }));
  for (const { spread, options, row } of cases(all, (_, i) => i < 3)) {
    const run = async () => {
      const scores = gaussian([1, vocabulary], 7 + row).mul<tf.Tensor2D>(spread);
      const values = await readTensor(scores);
      const together = Math.min(draws, 10_000);
      const rows = tf.tile(scores, [together, 1]) as tf.Tensor2D;
      const counts = Array<number>(vocabulary).fill(0);
      for (let seed = 0; seed < draws / together; seed++) {
        const ids = sampleTokens(rows, options, seed);
        for (const id of await readTensor(ids)) counts[id]!++;
        ids.dispose();
      }
      expect(chiSquaredP(counts, exactly(values, options))).toBeGreaterThan(0.001);
      // So many draws tell it from a distribution that is a little flatter or sharper.
      const wrong = 1 + 0.1 * Math.sqrt(100_000 / draws);
      const other = exactly(
        values.map((x) => x * wrong),
        options,
      );
      expect(chiSquaredP(counts, other)).toBeLessThan(0.001);
      tf.dispose([scores, rows]);
    };
    const name = `${JSON.stringify(options)} of scores of spread ${spread}: ${draws} draws pass χ²`;
    test(name, run, 600_000);
  }

  test('top-p keeps the same tokens everywhere, of equal scores and where sums reach p exactly', async () => {
    const [each, total] = [100, 20];
    let exact = 0;
    for (const share of [6, 12, 16, 18]) {
      const rows = [share, share + 7, share + 31, share + 56].map((seed) => wholes(total, seed));
      const scores = rows.map((weights) => weights.map((weight) => Math.log(weight / total)));
      const logits = tf.tensor2d(scores.flatMap((row) => Array<number[]>(each).fill(row)));
      const ids = await readTensor(sampleTokens(logits, { topP: share / total }, 2));
      for (const [n, weights] of rows.entries()) {
        const falling = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]! || a - b);
        const kept = firstUntil(falling, weights, share);
        if (kept.reduce((sum, id) => sum + weights[id]!, 0) === share) exact++;
        const made = new Set(ids.slice(n * each, (n + 1) * each));
        expect([...made].sort(), `${weights} up to ${share}`).toEqual([...kept].sort());
        const own = samplingCandidates(scores[n]!, { topP: share / total });
        expect(own.map(({ id }) => id)).toEqual(kept);
      }
      logits.dispose();
    }
    expect(exact).toBeGreaterThan(7);
  });
});

/** Eight whole numbers, many of them equal, that sum to a total. */
function wholes(total: number, seed: number): number[] {
  const random = new Random(seed);
  const weights = Array<number>(8).fill(1);
  for (let left = total - 8; left > 0; left -= 2) weights[random.nextUint32() % 6]! += 2;
  return weights;
}
