import { expect, test } from 'vitest';
import type { AttentionMap } from '../attention-maps.js';
import {
  headGrid,
  headView,
  heatMap,
  lensTable,
  modelView,
  neuronView,
  patchView,
  shownToken,
} from '../figures.js';

const nasty = ['<script>alert(1)</script>', '"&\'', '\u0000\u001b', '\ud800', '日本', ''];
const size = nasty.length;

const causalMap = (layer: number, heads = 3): AttentionMap => ({
  layer: `blocks.${layer}.attn`,
  heads: Array.from({ length: heads }, (_, h) => h),
  rows: nasty.map((_, i) => i),
  keys: size,
  values: Float32Array.from({ length: heads * size * size }, (_, i) => {
    const [row, key] = [Math.floor(i / size) % size, i % size];
    return key <= row ? 1 / (row + 1) : 0;
  }),
});

const lens = ['embedded', 'blocks.0.resid'].map((name) => ({
  name,
  tokens: nasty.map((_, i) => ({ ids: [i, 0], probabilities: [0.5, 0.25] })),
}));
const scores = [0, 1].flatMap((layer) =>
  [0, 1].map((head) => ({
    layer: `blocks.${layer}.attn`,
    head,
    entropy: layer,
    distance: 3 * head,
    previousToken: 0.5,
    induction: 1,
  })),
);
const question = {
  query: Float32Array.of(1, -2, 0),
  keys: Float32Array.from({ length: 3 * size }, (_, i) => i - 8),
  products: Float32Array.from({ length: 3 * size }, (_, i) => 8 - i),
  weights: Float32Array.from({ length: size }, () => 1 / size),
};

/** Attention of two heads and six queries over seven keys: a class token and 2 × 3 patches. */
const patchMap: AttentionMap = {
  layer: 'decoder.blocks.0.cross',
  heads: [0, 1],
  rows: nasty.map((_, i) => i),
  keys: 7,
  values: Float32Array.from({ length: 2 * size * 7 }, (_, i) => {
    const [row, key, head] = [Math.floor(i / 7) % size, i % 7, Math.floor(i / 7 / size)];
    if (key === 0) return 0.25;
    // The first head looks at one patch, the second at all alike.
    return head === 0 ? (key - 1 === row ? 0.75 : 0) : 0.125;
  }),
};
const picture = {
  ...{ height: 4, width: 6, channels: 3 },
  values: Float32Array.from({ length: 72 }, (_, i) => i / 71),
};
const looks = { queryTokens: nasty, picture, patch: [2, 2] as const };

const figures: Record<string, () => string> = {
  patchView: () => patchView(patchMap, looks),
  'heatMap of two sequences': () =>
    heatMap(patchMap, { tokens: [...nasty, 'more'], queryTokens: nasty }),

  headView: () => headView(causalMap(0), { tokens: nasty }),
  'headView of a row': () => headView(causalMap(0), { tokens: nasty, row: 2 }),
  modelView: () => modelView([causalMap(0), causalMap(1)]),
  heatMap: () => heatMap(causalMap(0, 1), { tokens: nasty }),
  neuronView: () => neuronView(question, { tokens: nasty, query: nasty[0]! }),
  headGrid: () => headGrid(scores, 'entropy'),
  lensTable: () => lensTable(lens, { tokens: nasty, tokenOf: (id) => nasty[id]! }),
};

/** Walks through a markup; throws unless every element is closed and every character is XML. */
function elementsOf(svg: string): Record<string, number> {
  expect(svg).not.toMatch(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
  const counts: Record<string, number> = {};
  const open: string[] = [];
  const tags = svg.matchAll(/<(\/?)([a-z]+)((?: [a-zA-Z0-9:-]+="[^"<>]*")*)(\/?)>|([^<>]+)|[<>]/g);
  let end = 0;
  for (const { index, 0: whole, 1: closing, 2: name, 4: alone, 5: text } of tags) {
    expect(index).toBe(end);
    end += whole.length;
    expect(whole.replace(/&#\d+;/g, '')).not.toContain('&');
    if (text !== undefined) continue;
    expect(name, whole).toBeDefined();
    if (closing) expect(open.pop()).toBe(name);
    else {
      counts[name!] = (counts[name!] ?? 0) + 1;
      if (!alone) open.push(name!);
    }
  }
  expect(open).toEqual([]);
  expect(end).toBe(svg.length);
  return counts;
}

test.each(Object.entries(figures))('%s is well-formed whatever the tokens are', (_, draw) => {
  const svg = draw();
  expect(elementsOf(svg).svg).toBe(1);
  expect(svg).not.toContain('<script');
  // The policy of a page may forbid it.
  expect(svg).not.toMatch(/ style=/);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  expect(draw()).toBe(svg);
});

test('a picture for each query: as bright as the mean of the heads, with the share of the patches below', () => {
  const svg = patchView(patchMap, looks);
  const views = svg.split('<g class="patches"').slice(1);
  expect(views).toHaveLength(size);
  for (const [query, view] of views.entries()) {
    const veils = [...view.matchAll(/fill-opacity="([\d.]+)"><title>patch/g)].map(([, x]) => x);
    // 0.4375 against 0.0625 of the others, whose root is 0.378 of the largest.
    expect(veils).toEqual(veils.map((_, patch) => (patch === query ? '0' : '0.53')));
    expect(view).toContain('>75 %</text>');
    expect(view).toContain(`<title>patch ${Math.floor(query / 3)}, ${query % 3}: 44 %</title>`);
  }
  // One image, which all views use.
  expect(elementsOf(svg).image).toBe(1);
  expect(elementsOf(svg).use).toBe(size);
});

test('a label is cut where its columns end, of which wide characters take two', () => {
  expect(shownToken('pneumonoultramicroscopic')).toBe('pneumonoultra…');
  expect(shownToken('Rindfleischeti')).toBe('Rindfleischeti');
  expect(shownToken('日本語日本語日')).toBe('日本語日本語日');
  expect(shownToken('日本語日本語日本')).toBe('日本語日本語…');
  expect(shownToken('Nghị\nđịnh', 10)).toBe('Nghị⏎định');
});

test('patches that do not fit are named', () => {
  const drawn = (change: object) => () => patchView(patchMap, { ...looks, ...change });
  expect(drawn({ patch: [3, 2] })).toThrow('patches of 3 by 2 do not divide a picture of 4 by 6');
  expect(drawn({ patch: [1, 2] })).toThrow('has 7 keys; the picture has 12 patches');
  expect(drawn({ before: 2 })).toThrow('has 7 keys; the picture has 6 patches behind 2 others');
  expect(drawn({ picture: { ...picture, channels: 4 } })).toThrow('72 values and 4 channels');
  expect(drawn({ queryTokens: ['a'] })).toThrow('has a query 1; got 1 query tokens');
});

test('a line for each weight that counts, as opaque as its root', () => {
  const all = headView(causalMap(0, 1), { tokens: nasty });
  expect(elementsOf(all).line).toBe((size * (size + 1)) / 2);
  const row = headView(causalMap(0, 1), { tokens: nasty, row: 3 });
  expect(elementsOf(row).line).toBe(4);
  expect(row.match(/stroke-opacity="0.5"/g)).toHaveLength(4);
  expect(elementsOf(headView(causalMap(0, 1), { tokens: nasty, least: 0.3 })).line).toBe(1 + 2 + 3);
});

test('a picture for each head, with a path for each level', () => {
  const svg = modelView([causalMap(0, 1), causalMap(1, 2)]);
  expect(
    [...svg.matchAll(/data-layer="(\d)" data-head="(\d)"/g)].map(([, l, h]) => l! + h!),
  ).toEqual(['00', '10', '11']);
  expect(svg).toContain('<title>blocks.1.attn, head 1</title>');
});

test('runs of one colour are one rectangle', () => {
  const map = { ...causalMap(0, 1), values: new Float32Array(size * size).fill(1) };
  const svg = heatMap(map, { tokens: nasty });
  expect(svg).toContain('fill="#fde725"');
  expect(/<path d="([^"]*)"/.exec(svg)![1]!.match(/M/g)).toHaveLength(size);
});

test('the best token of a layer, with the others in its hint', () => {
  const svg = lensTable(lens, { tokens: nasty, tokenOf: (id) => `t${id}` });
  expect(svg).toContain('>t5</text>');
  expect(svg).toContain('50.0 %  &#34;t5&#34;\n25.0 %  &#34;t0&#34;');
});

test('tokens that do not fit are named', () => {
  const tokens = nasty.slice(1);
  const message = `'blocks.0.attn' has ${size} keys; got ${size - 1} tokens`;
  expect(() => headView(causalMap(0), { tokens })).toThrow(message);
  expect(() => heatMap(causalMap(0), { tokens })).toThrow(message);
  expect(() => headView(causalMap(0), { tokens: nasty, queryTokens: tokens })).toThrow(
    `has a query ${size - 1}; got ${size - 1} query tokens`,
  );
  expect(() => neuronView(question, { tokens, query: 'a' })).toThrow(`${size} keys; got 5 tokens`);
  expect(() => lensTable(lens, { tokens, tokenOf: String })).toThrow("'embedded' has 6 positions");
  expect(() => modelView([])).toThrow('no maps are given');
  expect(() => headGrid([], 'entropy')).toThrow('no scores are given');
});

test.each<[string, (tokens: never) => string]>([
  ['headView', (tokens) => headView(causalMap(0), { tokens })],
  ['heatMap', (tokens) => heatMap(causalMap(0, 1), { tokens })],
  ['queryTokens', (queryTokens) => headView(causalMap(0), { tokens: nasty, queryTokens })],
  ['neuronView', (tokens) => neuronView(question, { tokens, query: 'q' })],
  ['lensTable', (tokens) => lensTable(lens, { tokens, tokenOf: String })],
])('%s refuses a string as long as its list of tokens', (_, draw) => {
  expect(() => draw('abcdef' as never)).toThrow(
    /okens is the string "abcdef"; expected an array of strings, one a token/,
  );
  expect(() => draw([1, 2, 3, 4, 5, 6] as never)).toThrow('expected an array of strings');
});
