import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importGraph } from './import-graph.mjs';
import { nearestTests } from './test-quick.mjs';

test('the tests nearest to a change come first, those of other projects not at all', () => {
  const sources = new Map([
    ['packages/a/src/far.test.ts', "import './index.js';"],
    ['packages/a/src/near.test.ts', "import './one.js';"],
    ['packages/a/src/one.gpu.test.ts', "import './one.js';"],
    ['packages/a/src/one.alone.test.ts', "import './one.js';"],
    ['packages/a/src/one.backends.test.ts', "import './one.js';"],
    ['packages/a/src/other.test.ts', ''],
    ['packages/a/src/index.ts', "export { one } from './one.js';"],
    ['packages/a/src/one.ts', ''],
  ]);
  const graph = importGraph(sources, new Map());
  assert.deepEqual(nearestTests(graph, ['packages/a/src/one.ts', 'README.md']), [
    'packages/a/src/near.test.ts',
    'packages/a/src/one.backends.test.ts',
    'packages/a/src/far.test.ts',
  ]);
});
