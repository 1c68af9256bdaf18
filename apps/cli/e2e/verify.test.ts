import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Receipt } from '@headwise/parity';
import { expect, test } from 'vitest';
import { headwiseHere, temporaryFolder } from './headwise.js';

const goldens = fileURLToPath(new URL('../../../packages/parity/goldens', import.meta.url));
const work = temporaryFolder();

test('verify prints a receipt of the models that come along, of a group and a name', async () => {
  const file = join(work, 'receipt.json');
  const chosen = ['--group', 'experts', '--only', 'qwen3'];
  const args = [...chosen, '--backend', 'cpu', '--json', '--out', file];
  const { code, stdout } = await headwiseHere(['verify', ...args]);
  const receipt = JSON.parse(stdout) as Receipt;
  expect(code).toBe(0);
  expect(receipt).toMatchObject({ backend: 'cpu', ok: true });
  expect(new Set(receipt.checks.map(({ subject }) => subject))).toEqual(
    new Set(['qwen3-moe', 'qwen3-moe-normalized']),
  );
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(receipt);
});

test('verify ends with 1 where a bound is broken, and names the parts', async () => {
  const folder = join(work, 'wrong');
  cpSync(join(goldens, 'llama'), folder, { recursive: true });
  const weights = join(folder, 'model.safetensors');
  const bytes = readFileSync(weights);
  bytes.writeFloatLE(1, bytes.length - 4);
  writeFileSync(weights, bytes);
  const verify = ['verify', '--model', folder, '--backend', 'cpu'];
  const { code, stdout } = await headwiseHere(verify);
  expect(code).toBe(1);
  expect(stdout).toMatch(/wrong +logits +\d+ .*NOT OK/);
  expect(stdout).toMatch(/wrong +gradient\S+ +[1-9]\d+ .*NOT OK/);
  expect(stdout).toMatch(/a line is the worst of its kind; --json and --out have every comparison/);
  expect(stdout).toMatch(/\d+ of \d+ comparisons are out of bounds: wrong /);
});

test('verify compares a model without a golden with the cpu', async () => {
  const folder = join(work, 'mine');
  cpSync(join(goldens, 'mistral'), folder, { recursive: true });
  rmSync(join(folder, 'expected.safetensors'));
  const { code, stdout } = await headwiseHere(['verify', '--model', folder, '--backend', 'wasm']);
  expect(stdout).toMatch(/compared with what the cpu backend computes/);
  expect(stdout).toMatch(/all 1 comparisons are within their bounds/);
  expect(code).toBe(0);
});

test('verify refuses a name that no model has, and a folder that is none', async () => {
  const unknown = await headwiseHere(['verify', '--only', 'gpt9']);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toMatch(
    /--only 'gpt9': no model is called so; there are albert, .*, bart,/,
  );
  const ofGroup = await headwiseHere(['verify', '--group', 'pictures', '--only', 'gpt2']);
  expect(ofGroup).toMatchObject({ code: 2, stdout: '' });
  expect(ofGroup.stderr).toMatch(
    /--only 'gpt2': no model is called so; in group pictures there are clip-vision, .*, vit, vit-/,
  );
  expect(await headwiseHere(['verify', '--model', join(work, 'none')])).toMatchObject({ code: 2 });
});

test('verify refuses a group that there is none of, and a group of one model', async () => {
  const unknown = await headwiseHere(['verify', '--group', 'decoder']);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain(
    "argument 'decoder' is invalid. Allowed choices are decoders, encoders, encoder-decoders, experts, pictures, sounds.",
  );
  const both = ['verify', '--group', 'decoders', '--model', join(goldens, 'llama')];
  const refused = await headwiseHere(both);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain("'--group <name>' cannot be used with option '--model <dir>'");
  const named = ['verify', '--only', 'llama', '--model', join(goldens, 'llama')];
  const ignored = await headwiseHere(named);
  expect(ignored).toMatchObject({ code: 2, stdout: '' });
  expect(ignored.stderr).toContain("'--only <text>' cannot be used with option '--model <dir>'");
});
