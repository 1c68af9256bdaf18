import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = `${root}/apps/examples`;
const names = readdirSync(`${folder}/src`).map((file) => file.replace('.ts', ''));
const sourceOf = (name: string) => readFileSync(`${folder}/src/${name}.ts`, 'utf8');
const run = promisify(execFile);

/** What the comment after each `console.log` says that it prints. */
const promised = (source: string): string[] =>
  [...source.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text!);

/** A software adapter compiles the shaders of an example for up to a minute: `pnpm test:full` runs all examples on WebGPU. */
const onWebGpu = inject('full') ? names : ['attention', 'core', 'generation', 'kernels'];
const noDriver = { ...process.env, VK_DRIVER_FILES: '/none', VK_ICD_FILENAMES: '/none' };

describe('every example prints what its comments say', () => {
  test.each(names)('%s', async (name) => {
    const env = onWebGpu.includes(name) ? process.env : noDriver;
    const { stdout } = await run(process.execPath, [`${folder}/dist/${name}.js`], { env });
    const lines = stdout.replace(/,\n\s+|\[\n\s+|\n\]/g, (gap) => {
      // The console breaks long arrays into lines.
      if (gap.startsWith(',')) return ', ';
      return gap.startsWith('[') ? '[ ' : ' ]';
    });
    const expected = promised(sourceOf(name));
    expect(expected.length).toBeGreaterThan(0);
    expect(lines.split('\n')).toEqual(expect.arrayContaining(expected));
  });
});

describe('what a README says to install is what its programs import', () => {
  for (const name of readdirSync(`${root}/packages`)) {
    const path = `${root}/packages/${name}/README.md`;
    if (!existsSync(path)) continue;
    test(name, () => {
      const text = readFileSync(path, 'utf8');
      const [, line] = /^ {4}npm install (@headwise\/.*)$/m.exec(text) ?? [];
      const installed = line?.split(' ').filter((word) => word.startsWith('@headwise/'));
      const imported = [...text.matchAll(/from '(@headwise\/[a-z-]+)/g)].map(([, from]) => from!);
      expect((installed ?? []).sort()).toEqual([...new Set(imported)].sort());
    });
  }
});

test('the README of the examples lists each, and the page that shows it', () => {
  const rows = readFileSync(`${folder}/README.md`, 'utf8').matchAll(
    /^\| `([\w-]+)` .*\]\(\.\.\/\.\.\/(.*README\.md)\)/gm,
  );
  const listed = new Map([...rows].map(([, name, readme]) => [name!, readme!]));
  expect([...listed.keys()].sort()).toEqual([...names].sort());
  for (const [name, readme] of listed) {
    expect(readFileSync(`${root}/${readme}`, 'utf8'), name).toContain(sourceOf(name).trim());
  }
});

describe('every program in a README is one of the examples', () => {
  const examples = new Map(names.map((name) => [sourceOf(name).trim(), name]));
  const readmes = [
    'README.md',
    ...['packages', 'apps'].flatMap((group) =>
      readdirSync(`${root}/${group}`).map((name) => `${group}/${name}/README.md`),
    ),
  ];
  const shown = new Set<string>();
  for (const path of readmes) {
    let text: string;
    try {
      text = readFileSync(`${root}/${path}`, 'utf8');
    } catch {
      continue; // private packages need none
    }
    const programs = [...text.matchAll(/^```(?:ts|js|typescript)\n(.*?)^```$/gms)];
    if (programs.length === 0) continue;
    test(path, () => {
      for (const [, program] of programs) {
        const name = examples.get(program!.trim());
        expect(name, `is not an example: ${program}`).toBeDefined();
        shown.add(name!);
      }
    });
  }
  test('and each example is shown in one', () => {
    expect([...shown].sort()).toEqual([...names].sort());
  });
});
