import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, toFloat32 } from '@headwise/safetensors';
import { expect, test } from 'vitest';
import { headwise, repository, temporaryFolder } from './headwise.js';

const llama = join(repository, 'packages/parity/goldens/llama');
const work = temporaryFolder();
const read = (path: string) => readSafetensors(readFileSync(path));

test('convert rounds a model to bf16, in shards, and it loads again', () => {
  const out = join(work, 'narrow');
  const args = ['--model', llama, '--out', out, '--dtype', 'bf16', '--shard-size', '9000'];
  expect(headwise(['convert', ...args, '--backend', 'cpu'])).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).dtype).toBe('bfloat16');
  const shards = readdirSync(out).filter((name) => name.endsWith('.safetensors'));
  expect(shards.length).toBeGreaterThan(2);
  const before = read(join(llama, 'model.safetensors'));
  const seen = new Set<string>();
  for (const shard of shards) {
    const file = read(join(out, shard));
    for (const key of file.tensors.keys()) {
      seen.add(key);
      expect(file.get(key).dtype).toBe('BF16');
      const [narrow, wide] = [toFloat32(file.get(key)), toFloat32(before.get(key))];
      const worst = Math.max(...narrow.map((v, i) => Math.abs(v - wide[i]!) / Math.abs(wide[i]!)));
      expect(worst).toBeLessThanOrEqual(2 ** -8);
      expect(worst).toBeGreaterThan(0);
    }
  }
  expect([...seen].sort()).toEqual([...before.tensors.keys()].sort());
  const logits = headwise([
    'logits',
    '--model',
    out,
    '--ids',
    '1,2,3',
    '--backend',
    'cpu',
    '--json',
  ]);
  expect(JSON.parse(logits.stdout).shape[0]).toBe(3);
});

test('convert copies all files beside the weights', () => {
  const model = join(work, 'complete');
  cpSync(llama, model, { recursive: true });
  const beside = ['generation_config.json', 'tokenizer.json', 'chat_template.jinja'];
  for (const name of beside) writeFileSync(join(model, name), `{"name": "${name}"}`);
  const out = join(work, 'complete-too');
  const args = ['--model', model, '--out', out, '--backend', 'cpu'];
  expect(headwise(['convert', ...args])).toMatchObject({ code: 0 });
  for (const name of beside) {
    expect(readFileSync(join(out, name)), name).toEqual(readFileSync(join(model, name)));
  }
});

test('convert refuses its own folder, and types and sizes that are none', () => {
  const refused = (...args: string[]) => headwise(['convert', '--model', llama, ...args]);
  const own = refused('--out', llama, '--backend', 'cpu');
  expect(own.code).toBe(2);
  expect(own.stderr).toMatch(/is the folder of --model; expected another/);
  const type = refused('--out', join(work, 'x'), '--dtype', 'f8');
  expect(type.stderr).toMatch(/--dtype is 'f8'; expected one of f32, f16, bf16/);
  const size = refused('--out', join(work, 'x'), '--shard-size', 'big');
  expect(size.stderr).toMatch(/--shard-size is 'big'; expected a whole number/);
});

test('convert refuses a file in the place of a folder', () => {
  const file = join(llama, 'config.json');
  const { code, stderr } = headwise([
    'convert',
    '--model',
    llama,
    '--out',
    file,
    '--backend',
    'cpu',
  ]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/--out '.*config\.json' cannot be made a folder: /);
  expect(stderr).not.toMatch(/\n\s+at /);
});
