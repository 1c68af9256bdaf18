import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { reportOf } from './api-report.mjs';

const files = {
  'dist/index.d.ts': `import { Far } from '@headwise/core';
import * as parts from './parts.js';
export { one, type Two as Second } from './parts.js';
export { parts };
export type { Far };
/** Named
 * here. And more.
 *
 * @returns 1
 */
export declare function here(options?: {
    /** Not shown. */
    deep: boolean;
}): number;
export declare function here(text: string): number;
//# sourceMappingURL=index.d.ts.map`,
  'dist/parts.d.ts': `export { one } from './one.js';
/** A class. */
export declare class Two {
    #private;
    private constructor();
    /** Not shown. */
    get value(): number;
}
`,
  'dist/one.d.ts': 'declare const secret = 2;\n/** One. */\nexport declare const one: number;\n',
  'dist/internal.d.ts': 'export declare const hidden: number;\n',
};

test('a report has every export of the public entries, followed to its declaration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'api-'));
  const manifest = {
    name: '@headwise/x',
    exports: {
      '.': { '@headwise/source': './src/index.ts', default: './dist/index.js' },
      './internal': { default: './dist/internal.js' },
      './package.json': './package.json',
    },
  };
  mkdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  const report = reportOf(folder);
  rmSync(folder, { recursive: true });
  const [, , first, ...entries] = report.split(/\n(?=#)/);
  assert.match(report, /## `@headwise\/x`: 5 exports/);
  assert.ok(!report.includes('hidden') && !report.includes('secret'));
  const shown = [first, ...entries].map((entry) => entry.trim());
  assert.deepEqual(shown, [
    "### Far\n\n```ts\nexport { Far } from '@headwise/core';\n```",
    '### Second\n\nA class.\n\n```ts\nclass Two {\n  get value(): number;\n} // exported as Second\n```',
    '### here\n\nNamed here. And more.\n\n```ts\nfunction here(options?: {\n  deep: boolean;\n}): number;\nfunction here(text: string): number;\n```',
    '### one\n\nOne.\n\n```ts\nconst one: number;\n```',
    '### parts\n\n```ts\nnamespace parts {\n  class Two {\n    get value(): number;\n  }\n  const one: number;\n}\n```',
  ]);
});
