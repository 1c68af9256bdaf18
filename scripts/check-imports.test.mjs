import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manifestProblems, problemsOf, tableProblems } from './check-imports.mjs';

test('imports against the direction are found, those along it are not', () => {
  const down = "import { ParamStore } from '@headwise/core';";
  assert.deepEqual(problemsOf('packages/layers/src/a.ts', down), []);
  const up = "import { attend } from '@headwise/attention';";
  assert.deepEqual(problemsOf('packages/layers/src/a.ts', up), [
    'packages/layers/src/a.ts: layers must not import attention',
  ]);
  assert.deepEqual(
    problemsOf('packages/data/src/a.ts', `export type { A } from '@headwise/core';`),
    ['packages/data/src/a.ts: data must not import core'],
  );
  assert.deepEqual(problemsOf('packages/layers/src/a.test.ts', up), []);
  assert.equal(problemsOf('packages/core/src/a.ts', `await import('@headwise/kernels')`).length, 1);
  assert.equal(
    problemsOf('packages/core/src/a.ts', "import { a } from '../../data/src/a.js';").length,
    1,
  );
});

test('an internal entry is for our packages, not for the examples', () => {
  const internal = "import { startBackend } from '@headwise/core/internal';";
  assert.deepEqual(problemsOf('packages/kernels/src/a.ts', internal), []);
  assert.equal(problemsOf('apps/examples/src/a.ts', internal).length, 1);
});

test('things of one place are found elsewhere, but not in comments', () => {
  assert.equal(
    problemsOf('packages/layers/src/a.ts', 'const s = /* wgsl */ `@compute`;').length,
    1,
  );
  assert.deepEqual(problemsOf('packages/kernels/src/a.ts', 'const s = /* wgsl */ `@compute`;'), []);
  assert.equal(problemsOf('packages/layers/src/a.ts', "tf.setBackend('cpu');").length, 1);
  assert.equal(problemsOf('packages/data/src/a.ts', "import { join } from 'node:path';").length, 1);
  assert.deepEqual(
    problemsOf('packages/data/src/node.ts', "import { join } from 'node:path';"),
    [],
  );
  assert.equal(problemsOf('packages/core/src/a.ts', 'document.body.append(x);').length, 1);
  assert.deepEqual(problemsOf('packages/core/src/a.ts', '// document.body, setBackend('), []);
});

test('exports without names are found', () => {
  assert.equal(problemsOf('packages/core/src/index.ts', "export * from './a.js';").length, 1);
  assert.equal(problemsOf('packages/core/src/a.ts', 'export default 1;').length, 1);
});

test('imports that the manifests do not declare are found', () => {
  const sources = [['packages/layers/src/a.ts', "import { a } from '@headwise/core';"]];
  assert.deepEqual(manifestProblems('packages/layers', {}, {}, sources, ['README.md']), [
    'packages/layers/src/a.ts: @headwise/core is not declared in packages/layers/package.json',
    'packages/layers/src/a.ts: packages/layers/tsconfig.json has no reference to core',
  ]);
  const manifest = { dependencies: { '@headwise/core': 'workspace:^' } };
  const tsconfig = { references: [{ path: '../core' }] };
  assert.deepEqual(manifestProblems('packages/layers', manifest, tsconfig, sources, []), [
    'packages/layers: no README.md',
  ]);
});

test('the table names the packages that exist', () => {
  const folders = ['packages/core', 'packages/data', 'apps/cli'];
  assert.deepEqual(tableProblems({ core: [], data: ['core'] }, folders), []);
  assert.deepEqual(tableProblems({ core: ['tensors'] }, folders), [
    'scripts/check-imports.mjs: the package tensors does not exist',
    'scripts/check-imports.mjs: the package data is missing',
  ]);
});
