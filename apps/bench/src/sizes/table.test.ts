import { readFileSync } from 'node:fs';
import { modelSize } from '@headwise/models';
import { modelParts } from '@headwise/models/internal';
import { fullOnly } from '@headwise/testing';
import { expect, test } from 'vitest';
import { checkpoints } from './checkpoints.js';
import { binds, desktopLimits, leastLimits } from './plan.js';
import {
  heading,
  markdown,
  megabytes,
  rowOf,
  rowsIn,
  tokensOf,
  types,
  withTable,
} from './table.js';

const text = readFileSync(new URL('../../../../docs/checkpoints.md', import.meta.url), 'utf8');
const rows = rowsIn(text);
const cellOf = (row: readonly string[], name: string) => row[heading.indexOf(name)]!;
const numberOf = (cell: string) => Number(cell.replace(/[,A-Za-z ]/g, ''));

/** Bits of a weight, scales included: int8 has one for each output, int4 for each 32 values. */
const bits = { f16: 16, int8: 8, int4: 5 };

test("each checkpoint has transformers' number of parameters, and a row of the documentation", () => {
  expect(rows.map(([name]) => name)).toEqual(checkpoints.map(({ name }) => `\`${name}\``));
  for (const [i, { name, config, parameters }] of checkpoints.entries()) {
    expect(modelSize(config).parameters, name).toBe(parameters);
    expect(cellOf(rows[i]!, 'parameters'), name).toBe(
      `${Math.round(parameters / 1e6).toLocaleString('en-US')} M`,
    );
  }
});

test('weights are parameters times bits, and the cache is keys and values of every layer', () => {
  for (const [i, { name, config, parameters }] of checkpoints.entries()) {
    const row = rows[i]!;
    for (const type of types) {
      const given = numberOf(cellOf(row, type));
      // Norms, biases and learned positions stay float32, rows are padded to four values.
      const ratio = (8e6 * given) / (parameters * bits[type]);
      expect(ratio, `${name} ${type}`).toBeGreaterThan(0.995);
      expect(ratio, `${name} ${type}`).toBeLessThan(1.05);
    }
    const { layers, heads, dim } = modelParts(config);
    const width = (heads.kv ?? heads.count) * (heads.dim ?? dim / heads.count);
    expect(cellOf(row, 'cache'), name).toBe(megabytes(4 * 2 * layers * width * tokensOf(config)));
  }
});

test('a type is said to fit where weights, cache and what reading takes are at most the device', () => {
  for (const row of rows) {
    for (const gigabytes of [1, 2, 4, 8]) {
      const fitting = types.filter((type) => {
        const parts = [type, 'cache', 'reading'].map((name) => numberOf(cellOf(row, name)));
        return parts.reduce((sum, part) => sum + part, 0) <= 1000 * gigabytes;
      });
      expect(cellOf(row, `${gigabytes} GB`), row[0]).toBe(fitting.join(', ') || '–');
    }
  }
});

test("GPT-2's row is what is planned now", async () => {
  expect(await rowOf(checkpoints[0]!)).toEqual(rows[0]);
});

test('a weight that no bindings hold is said not to fit', async () => {
  const { config } = checkpoints.find(({ name }) => name.endsWith('gemma-3-1b-it'))!;
  expect(await binds(config, 'f16', leastLimits)).toBe(false);
  expect(await binds({ model_type: 'gpt2', n_layer: 1 }, 'f16', desktopLimits)).toBe(true);
  await expect(binds({ model_type: 'gpt9' }, 'f16', desktopLimits)).rejects.toThrow('gpt9');
});

// Ten models in three types take a minute to plan.
fullOnly(
  'every row is what is planned now',
  async () => {
    const planned: string[][] = [];
    for (const checkpoint of checkpoints) planned.push(await rowOf(checkpoint));
    expect(withTable(text, markdown(planned))).toBe(text);
  },
  300_000,
);
