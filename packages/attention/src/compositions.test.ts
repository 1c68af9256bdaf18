import { readFileSync } from 'node:fs';
import { ParamStore } from '@headwise/core';
import { expect, test } from 'vitest';
import {
  compositionTable,
  dim,
  headDim,
  heads,
  layouts,
  nonsense,
  positions,
  refusals,
  scores,
} from './compositions.cases.js';
import { CrossAttention, MultiHeadAttention } from './index.js';

test('what makes no sense together throws an error that names it, and all else is made', () => {
  for (const layout of Object.keys(layouts)) {
    for (const [score, kind] of Object.entries(scores)) {
      for (const [name, position] of Object.entries(positions)) {
        const params = new ParamStore();
        const options = { dim, heads, headDim, score: kind, ...layouts[layout] };
        const Kind = layout === 'cross' ? CrossAttention : MultiHeadAttention;
        const make = () =>
          new Kind(params, { ...options, position: position(params.at('position')) });
        const message = nonsense({ score, position: name, layout });
        if (message) expect(make, `${score}, ${name}, ${layout}`).toThrow(message);
        else expect(make()).toBeInstanceOf(Kind);
        params.dispose();
      }
    }
  }
});

test("the documentation's tables are these", () => {
  const text = readFileSync(new URL('../../../docs/attention.md', import.meta.url), 'utf8');
  const cells = (line: string) => line.split('|').map((cell) => cell.trim().replace(/^-+$/, '-'));
  const lines = (part: string) => part.split('\n').map(cells);
  const between = (name: string) =>
    text.split(`<!-- ${name} -->\n\n`)[1]!.split(`\n\n<!-- /${name} -->`)[0]!;
  expect(lines(between('compositions'))).toEqual(lines(compositionTable()));
  expect(between('refusals').split('\n')).toEqual(refusals().map((line) => `- \`${line}\``));
});
