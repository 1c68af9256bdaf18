import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '@headwise/safetensors';
import { expect, test } from 'vitest';
import { headwiseHere, lossesOf, repository, temporaryFolder } from './headwise.js';

const work = temporaryFolder();
/** A run of nine steps after its sixth; PyTorch made steps 3 to 5, on two processes. `losses.json` has the losses of all nine. */
const golden = join(repository, 'packages/runs/src/goldens/torchrun');
const tensorsOf = (path: string) => readSafetensors(readFileSync(path));

test('a run that PyTorch continued is imported, continues with the same losses as there, and is exported again', async () => {
  const run = join(work, 'run');
  const imported = await headwiseHere(['import', '--model', golden, '--out', run]);
  expect(imported).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^bloom after 6 of 9 steps, with its optimizer: .*\/run\n/),
  });
  const corpus = ['--corpus', join(golden, 'corpus.txt')];
  const config = join(run, 'trainer/config.json');
  const trained = await headwiseHere([
    'train',
    '--config',
    config,
    '--out',
    run,
    '--resume',
    ...corpus,
  ]);
  expect(trained.stderr).toBe('');
  expect(trained.stdout).toContain('resumes at step 6 of 9');
  const { losses } = JSON.parse(readFileSync(join(golden, 'losses.json'), 'utf8'));
  const ours = lossesOf(run);
  expect(ours).toHaveLength(9);
  for (const [step, loss] of ours.entries()) {
    expect(Math.abs(loss - losses[step]), `loss of step ${step}`).toBeLessThan(1e-5);
  }

  const out = join(work, 'out');
  const exported = ['export', '--to', 'torch', '--model', run, '--out', out, ...corpus];
  const { stdout, code } = await headwiseHere(exported);
  expect(code).toBe(0);
  expect(stdout).toContain(`torchrun --nproc-per-node 2 ${out}/train.py --out ${out}-back`);
  const script = join(repository, 'packages/runs/python/train.py');
  expect(readFileSync(join(out, 'train.py'))).toEqual(readFileSync(script));
  const names = (file: string) => [...tensorsOf(join(golden, file)).tensors.keys()].sort();
  for (const file of ['model.safetensors', 'trainer/optimizer.safetensors']) {
    expect([...tensorsOf(join(out, file)).tensors.keys()].sort(), file).toEqual(names(file));
  }
  expect(JSON.parse(readFileSync(join(out, 'trainer/torch.json'), 'utf8'))).toMatchObject({
    step: 9,
    updates: 9,
    learningRate: 0.01,
    betas: [0.9, 0.99],
  });
  const tokens = readFileSync(join(out, 'trainer/tokens.bin'));
  const { vocab } = JSON.parse(readFileSync(join(out, 'tokenizer.json'), 'utf8')).model;
  const text = readFileSync(join(golden, 'corpus.txt'), 'utf8');
  expect(tokens.readInt32LE(4 * 10)).toBe(vocab[text[10]!]);

  const again = await headwiseHere(exported);
  expect(again).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--out '.*out' is not empty/),
  });
});

test('export and import refuse what they cannot take, and leave no folder', async () => {
  const out = join(work, 'none');
  for (const [args, message] of [
    [
      ['export', '--to', 'jax', '--model', golden, '--out', out],
      /--to is 'jax'; expected one of torch/,
    ],
    [['export', '--to', 'torch', '--model', work, '--out', out], /has no trainer\/config\.json/],
    [['import', '--model', work, '--out', out], /has no trainer\/torch\.json/],
    [['import', '--model', golden, '--out', golden], /--out '.*torchrun' is not empty/],
  ] as const) {
    const { code, stderr } = await headwiseHere(args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  }
  expect(existsSync(out)).toBe(false);
});
