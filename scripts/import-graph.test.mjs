import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dependents, importCycles, importGraph } from './import-graph.mjs';

const sources = new Map([
  [
    'packages/a/src/index.ts',
    "export { one } from './one.js';\nimport type { Two } from './two.js';",
  ],
  ['packages/a/src/one.ts', "import { view } from './view.js';\n// import './two.js';"],
  ['packages/a/src/two.ts', "import { one } from '@headwise/a';"],
  ['packages/a/src/view.tsx', ''],
  ['packages/b/src/index.ts', "const { two } = await import('@headwise/a/two');"],
  [
    'packages/b/src/b.test.ts',
    "import {\n  b,\n} from './index.js';\nimport * as tf from '@tensorflow/tfjs';",
  ],
]);
const entries = new Map([
  ['@headwise/a', 'packages/a/src/index.ts'],
  ['@headwise/a/two', 'packages/a/src/two.ts'],
]);
const graph = importGraph(sources, entries);

test('imports are found: of types, of views, dynamic ones, through the entries of packages', () => {
  const imports = (path) => [...graph.get(path)];
  assert.deepEqual(imports('packages/a/src/index.ts'), [
    'packages/a/src/one.ts',
    'packages/a/src/two.ts',
  ]);
  assert.deepEqual(imports('packages/a/src/one.ts'), ['packages/a/src/view.tsx']);
  assert.deepEqual(imports('packages/b/src/index.ts'), ['packages/a/src/two.ts']);
  assert.deepEqual(imports('packages/b/src/b.test.ts'), ['packages/b/src/index.ts']);
});

test('cycles are found', () => {
  assert.deepEqual(importCycles(graph), [['packages/a/src/index.ts', 'packages/a/src/two.ts']]);
});

test('what depends on a source is found with its distance', () => {
  assert.deepEqual(
    [...dependents(graph, ['packages/a/src/view.tsx', 'gone.ts'])],
    [
      ['packages/a/src/view.tsx', 0],
      ['packages/a/src/one.ts', 1],
      ['packages/a/src/index.ts', 2],
      ['packages/a/src/two.ts', 3],
      ['packages/b/src/index.ts', 4],
      ['packages/b/src/b.test.ts', 5],
    ],
  );
});
