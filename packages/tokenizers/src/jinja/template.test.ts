import { describe, expect, test } from 'vitest';
import { readGolden } from '../goldens/read.node.js';
import { Template } from './template.js';

interface Goldens {
  now: [number, number, number, number, number, number, number];
  variables: Record<string, unknown>;
  /** Null where transformers refuses the template. */
  cases: [template: string, text: string | null][];
}

const { now, variables, cases } = readGolden<Goldens>('templates');
const render = (template: string) =>
  new Template(template).render(variables, () => new Date(...now)).text;

describe('as transformers renders them', () => {
  test.each(cases)('%s', (template, text) => {
    if (text === null) expect(() => render(template)).toThrow();
    else expect(render(template)).toBe(text);
  });
});
