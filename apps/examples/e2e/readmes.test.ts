import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = `${root}/apps/examples`;
const names = readdirSync(`${folder}/src`)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replace('.ts', ''));
const sourceOf = (name: string) => readFileSync(`${folder}/src/${name}.ts`, 'utf8');
const run = promisify(execFile);

/** What the comment after each `console.log` says that it prints. */
const promised = (source: string): string[] =>
  [...source.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text!);

const full = inject('full');
/** A software adapter compiles the shaders of an example for up to a minute: `pnpm test:full` runs all examples on WebGPU. */
const onWebGpu = full ? names : ['attention', 'core', 'generation', 'kernels'];
const elsewhere = names.filter((name) => !onWebGpu.includes(name));
/** A small program takes longer to load TensorFlow.js than to run: `pnpm test:full` gives each a process of its own. */
const groups = full ? names.map((name) => [name]) : [onWebGpu, elsewhere];
const noDriver = { ...process.env, VK_DRIVER_FILES: '/none', VK_ICD_FILENAMES: '/none' };

/** What each example of a group prints, and what those that threw have thrown. */
async function resultsOf(group: readonly string[]) {
  const env = onWebGpu.includes(group[0]!) ? process.env : noDriver;
  const args = [`${folder}/e2e/run-examples.mjs`, ...group];
  // A program that does not end keeps its group from ending, and fails it by this limit.
  const options = { env, timeout: 280_000, maxBuffer: 2 ** 26 };
  const {
    code = 0,
    stdout,
    stderr,
  } = await run(process.execPath, args, options).catch((error) => error);
  const marked = stdout.split(/^# ([\w-]+)\n/m).slice(1) as string[];
  const outputs = group.map((name) => [name, marked[marked.indexOf(name) + 1] ?? ''] as const);
  return { code, stderr, outputs };
}

describe('every example prints what its comments say', () => {
  const outputs = new Map<string, string>();

  test('and ends by itself, without an error', async () => {
    const queue = [...groups];
    const work = async () => {
      for (let group = queue.shift(); group; group = queue.shift()) {
        const { code, stderr, outputs: some } = await resultsOf(group);
        for (const [name, output] of some) outputs.set(name, output);
        expect.soft(code, `${group}: ${stderr}`).toBe(0);
      }
    };
    await Promise.all([work(), work()]);
  }, 1_800_000);

  test.each(names)('%s', (name) => {
    const lines = outputs.get(name)!.replace(/,\n\s+|\[\n\s+|\n\]/g, (gap) => {
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
