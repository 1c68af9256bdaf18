import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, toFloat32, writeSafetensors } from '@headwise/safetensors';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import { expect, test } from 'vitest';
import { headwiseHere, repository, temporaryFolder } from './headwise.js';

const llama = join(repository, 'packages/parity/goldens/llama');
const work = temporaryFolder();
const read = (path: string) => readSafetensors(readFileSync(path));

test('convert rounds a model to bf16, in shards, and it loads again', async () => {
  const out = join(work, 'narrow');
  const args = ['--model', llama, '--out', out, '--dtype', 'bf16', '--shard-size', '9000'];
  expect(await headwiseHere(['convert', ...args, '--backend', 'cpu'])).toMatchObject({ code: 0 });
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
  const logits = await headwiseHere([
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

test('convert writes a quantised model with its values', async () => {
  const golden = join(repository, 'packages/models/src/goldens/quantized.json');
  const { config, file, digests } = JSON.parse(readFileSync(golden, 'utf8')).cases.gptq;
  const [model, out] = [join(work, 'quantised'), join(work, 'dequantised')];
  mkdirSync(model);
  writeFileSync(join(model, 'config.json'), JSON.stringify(config));
  writeFileSync(join(model, 'model.safetensors'), Buffer.from(file, 'base64'));
  const args = ['--model', model, '--out', out, '--backend', 'cpu'];
  expect(await headwiseHere(['convert', ...args])).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).not.toHaveProperty(
    'quantization_config',
  );
  const written = read(join(out, 'model.safetensors'));
  for (const [key, digest] of Object.entries(digests)) {
    const values = new Uint8Array(toFloat32(written.get(key)).slice().buffer);
    expect(createHash('sha256').update(values).digest('hex'), key).toBe(digest);
  }
});

test('convert copies all files beside the weights', async () => {
  const model = join(work, 'complete');
  cpSync(llama, model, { recursive: true });
  const beside = ['generation_config.json', 'tokenizer.json', 'chat_template.jinja'];
  for (const name of beside) writeFileSync(join(model, name), `{"name": "${name}"}`);
  const out = join(work, 'complete-too');
  const args = ['--model', model, '--out', out, '--backend', 'cpu'];
  expect(await headwiseHere(['convert', ...args])).toMatchObject({ code: 0 });
  for (const name of beside) {
    expect(readFileSync(join(out, name)), name).toEqual(readFileSync(join(model, name)));
  }
});

test('convert refuses its own folder, and types and sizes that are none', async () => {
  const refused = (...args: string[]) => headwiseHere(['convert', '--model', llama, ...args]);
  const own = await refused('--out', llama, '--backend', 'cpu');
  expect(own.code).toBe(2);
  expect(own.stderr).toMatch(/is the folder of --model; expected another/);
  const type = await refused('--out', join(work, 'x'), '--dtype', 'f8');
  expect(type.stderr).toMatch(/--dtype is 'f8'; expected one of f32, f16, bf16/);
  const size = await refused('--out', join(work, 'x'), '--shard-size', 'big');
  expect(size.stderr).toMatch(/--shard-size is 'big'; expected a whole number/);
  const gguf = await headwiseHere(['convert', '--model', 'a.gguf', '--out', join(work, 'c')]);
  expect(gguf.code).toBe(2);
  expect(gguf.stderr).toMatch(/--model a\.gguf is a GGUF file; expected a folder/);
});

test('convert refuses a file in the place of a folder', async () => {
  const file = join(llama, 'config.json');
  const { code, stderr } = await headwiseHere([
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

/** A folder with weights of LLaMA and a vocabulary of bytes. */
async function withTokenizer(name: string): Promise<string> {
  const model = join(work, name);
  cpSync(llama, model, { recursive: true });
  const config = JSON.parse(readFileSync(join(llama, 'config.json'), 'utf8'));
  const tokenizer = await trainByteLevelBpe(['Call me Ishmael.'], { vocabSize: 256 });
  const vocab = Object.fromEntries(
    Array.from({ length: config.vocab_size }, (_, id) => [tokenizer.idToToken(id), id]),
  );
  const { model: bpe, ...json } = tokenizer.toJSON() as { model: object };
  writeFileSync(
    join(model, 'tokenizer.json'),
    JSON.stringify({ ...json, model: { ...bpe, vocab, merges: [] } }),
  );
  return model;
}

test('convert --to gguf writes one file, and nothing where it cannot be whole', async () => {
  const model = await withTokenizer('gguf');
  const convert = (out: string, ...args: string[]) =>
    headwiseHere(['convert', '--to', 'gguf', '--model', model, '--out', join(work, out), ...args]);
  const q8 = ['--dtype', 'q8_0', '--backend', 'cpu', '--json'];
  const { code, stdout } = await convert('llama.gguf', ...q8);
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({
    code: 0,
    family: 'llama',
    dtype: 'q8_0',
  });
  const head = readFileSync(join(work, 'llama.gguf')).subarray(0, 8);
  expect([head.toString('latin1', 0, 4), head.readUInt32LE(4)]).toEqual(['GGUF', 3]);

  expect((await convert('a.gguf', '--dtype', 'bf16')).stderr).toMatch(
    /--dtype is 'bf16'; expected one of f32, f16, q8_0, q4_k/,
  );

  const weights = join(model, 'model.safetensors');
  const file = read(weights);
  const tensors = Object.fromEntries(
    [...file.tensors.keys()].map((key) => [
      key,
      { ...file.get(key), data: toFloat32(file.get(key)) },
    ]),
  );
  tensors['model.layers.1.mlp.down_proj.weight']!.data[3] = 1e30;
  writeFileSync(weights, writeSafetensors(tensors as never));
  const large = await convert('large.gguf', '--backend', 'cpu');
  expect(large.code).toBe(2);
  expect(large.stderr).toMatch(/tensor 'blk\.1\.ffn_down\.weight': .* F16 holds at most 65504/);
  expect(readdirSync(work).filter((name) => name.includes('large') || name === 'a.gguf')).toEqual(
    [],
  );
});

test('convert --to gguf refuses a family that llama.cpp lacks, and a folder without a tokenizer', async () => {
  const convert = (model: string) =>
    headwiseHere([
      'convert',
      '--to',
      'gguf',
      '--model',
      model,
      '--out',
      join(work, 'no.gguf'),
      '--backend',
      'cpu',
    ]);
  const t5 = await convert(join(repository, 'packages/parity/goldens/t5'));
  expect(t5).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/'model_type' is 't5'; GGUF is written for/),
  });
  expect((await convert(llama)).stderr).toMatch(/has no tokenizer\.json/);
});

test('a full disk is named, and leaves neither a part of a file nor a folder that is half another model', async ({
  skip,
}) => {
  const disk = join(work, 'disk');
  mkdirSync(disk);
  // Room for one copy of the weights, 70 kB.
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=120k', 'tmpfs', disk]);
  skip(mount.status !== 0, 'needs the right to mount a small tmpfs');
  try {
    const model = await withTokenizer('for-full-disk');
    const convert = (...args: string[]) =>
      headwiseHere(['convert', '--model', model, ...args, '--backend', 'cpu']);
    const folder = join(disk, 'folder');
    expect(await convert('--out', folder)).toMatchObject({ code: 0, stderr: '' });
    const before = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]);

    const file = await convert('--to', 'gguf', '--dtype', 'f32', '--out', join(disk, 'model.gguf'));
    expect(file.stderr).toMatch(/^headwise: .*model\.gguf: cannot be written: ENOSPC.*\n$/);
    expect(file.code).toBe(1);
    const again = await convert('--out', folder);
    expect(again.stderr).toMatch(/^headwise: .*: cannot be written: ENOSPC.*\n$/);
    expect(again.code).toBe(1);

    expect(readdirSync(disk)).toEqual(['folder']);
    expect(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))])).toEqual(
      before,
    );
  } finally {
    spawnSync('umount', [disk]);
  }
});
