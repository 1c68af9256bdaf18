import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenizeDocuments } from '@headwise/data/node';
import { commit } from '@headwise/files';
import { readConfiguration } from '@headwise/models/internal';
import { readSafetensors, toFloat32, writeSafetensors } from '@headwise/safetensors';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import { tokenizerText } from '@headwise/tokenizers/node';
import { describe, expect, test } from 'vitest';
import { prepareData } from '../../data.js';
import { textHash } from '../../hash.js';
import { parseRunConfig } from '../../parse-run-config.js';
import { Session } from '../../session.js';
import { openRunShards } from '../open-shards.js';
import { RunFolder } from '../run-folder.js';
import { torchFiles } from './export.js';
import { importedRun } from './import.js';
import { ModelKeys } from './model-keys.js';

const work = mkdtempSync(join(tmpdir(), 'headwise-torch-'));
const text = Array.from({ length: 60 }, (_, i) => `the ${i % 7} whales saw ${i % 5} ships.`).join(
  '\n',
);
const corpus = join(work, 'a.txt');
writeFileSync(corpus, text);
const bloom = { model_type: 'bloom', hidden_size: 16, n_head: 2, n_layer: 1 };

/** A run of two steps, in a folder. */
async function run(
  name: string,
  settings: object = {},
  model: object = { context: 12, config: bloom },
) {
  const path = join(work, name);
  const config = parseRunConfig({
    model,
    tokenizer: { kind: 'character' },
    data: { corpus },
    training: { steps: 4, batchSize: 2, checkpointEvery: 2, ...settings },
  });
  const folder = await RunFolder.inspect(path, config);
  const data = await prepareData(config, { text });
  const inputs = { corpus: await textHash(text), tokenizer: tokenizerText(data.tokenizer) };
  await folder.create(config, inputs);
  const session = await Session.open({ config, data, storage: folder });
  await session.advance();
  await session.advance();
  session.dispose();
  await folder.release();
  return { path, data };
}

const tensorsOf = (path: string) => readSafetensors(readFileSync(path));

describe('a run that goes out and comes back', () => {
  test('is the run, its moments in the order of rows that checkpoints have', async () => {
    const { path, data } = await run('first');
    const out = join(work, 'first-torch');
    await commit(out, await torchFiles(path));

    const [weights, moments, state] = [
      tensorsOf(join(out, 'model.safetensors')),
      tensorsOf(join(out, 'trainer/optimizer.safetensors')),
      tensorsOf(join(path, 'trainer/state.safetensors')),
    ];
    expect([...moments.tensors.keys()].sort()).toEqual(
      ['exp_avg', 'exp_avg_sq']
        .flatMap((slot) => [...weights.tensors.keys()].map((key) => `${slot}.${key}`))
        .sort(),
    );
    // BLOOM has query, key and value of a head in turn; we have all queries first.
    const [ours, theirs] = [
      toFloat32(state.get('adamw.m.blocks.0.attn.qkv.weight')),
      toFloat32(moments.get('exp_avg.transformer.h.0.self_attention.query_key_value.weight')),
    ];
    expect(theirs.subarray(8 * 16, 9 * 16)).toEqual(ours.subarray(16 * 16, 17 * 16));

    const bytes = readFileSync(join(out, 'trainer/tokens.bin'));
    const tokens = new Int32Array(new Uint8Array(bytes).buffer);
    const { inputs, examples } = await data.batches.at(0);
    const [window = 0] = examples!;
    expect(tokens.subarray(12 * window, 12 * window + 12)).toEqual(inputs.subarray(0, 12));

    const { change, ...where } = await importedRun(out);
    expect(where).toEqual({ family: 'bloom', step: 2, steps: 4 });
    const back = join(work, 'first-back');
    await commit(back, change);
    const again = tensorsOf(join(back, 'trainer/state.safetensors'));
    expect(again.metadata).toEqual(state.metadata);
    for (const key of state.tensors.keys()) expect(again.get(key), key).toEqual(state.get(key));
  });

  test('is the run where a tensor of the checkpoint holds several parameters', async () => {
    const phi3 = {
      ...{ model_type: 'phi3', hidden_size: 16, intermediate_size: 24, num_hidden_layers: 1 },
      ...{ num_attention_heads: 2, max_position_embeddings: 12, pad_token_id: null },
      original_max_position_embeddings: 12,
    };
    const { path } = await run('parts-of-one', {}, { context: 12, config: phi3 });
    const out = join(work, 'parts-of-one-torch');
    await commit(out, await torchFiles(path));

    const state = tensorsOf(join(path, 'trainer/state.safetensors'));
    const key = 'model.layers.0.mlp.gate_up_proj.weight';
    for (const [file, theirs, ours] of [
      ['model.safetensors', key, 'params'],
      ['trainer/optimizer.safetensors', `exp_avg.${key}`, 'adamw.m'],
      ['trainer/optimizer.safetensors', `exp_avg_sq.${key}`, 'adamw.v'],
    ] as const) {
      const tensors = tensorsOf(join(out, file));
      expect(tensors.tensors.get(theirs)!.shape).toEqual([48, 16]);
      const whole = toFloat32(tensors.get(theirs));
      for (const [i, part] of ['gate', 'up'].entries()) {
        const own = toFloat32(state.get(`${ours}.blocks.0.mlp.${part}.weight`));
        expect(own.some((value) => value !== 0)).toBe(true);
        expect(whole.subarray(24 * 16 * i, 24 * 16 * (i + 1)), part).toEqual(own);
      }
    }

    const back = join(work, 'parts-of-one-back');
    await commit(back, (await importedRun(out)).change);
    const again = tensorsOf(join(back, 'trainer/state.safetensors'));
    expect([...again.tensors.keys()].sort()).toEqual([...state.tensors.keys()].sort());
    for (const name of state.tensors.keys()) expect(again.get(name), name).toEqual(state.get(name));
  });

  test('is refused where something is missing, or it is another model', async () => {
    const out = join(work, 'bad-torch');
    await commit(out, await torchFiles((await run('bad')).path));
    rmSync(join(out, 'headwise-manifest.json'));
    const file = join(out, 'trainer/optimizer.safetensors');
    const whole = readFileSync(file);
    const moments = readSafetensors(whole);
    const names = [...moments.tensors.keys()].filter(
      (name) => name !== 'exp_avg.transformer.ln_f.bias',
    );
    writeFileSync(
      file,
      writeSafetensors(Object.fromEntries(names.map((name) => [name, moments.get(name)]))),
    );
    await expect(importedRun(out)).rejects.toThrow(
      "optimizer.safetensors: tensor 'exp_avg.transformer.ln_f.bias' is missing; the model needs [16]",
    );
    rmSync(file);
    await expect(importedRun(out)).rejects.toThrow('has no trainer/optimizer.safetensors');
    writeFileSync(file, whole);
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
    writeFileSync(join(out, 'config.json'), JSON.stringify({ ...config, n_head: 4 }));
    await expect(importedRun(out)).rejects.toThrow(
      /config\.json: 'heads' is .*"count":4.*; the run has .*"count":2/,
    );
    await expect(importedRun(work)).rejects.toThrow('has no trainer/torch.json');
  });
});

describe('a run on shards', () => {
  test('goes out with the places of its shards, whose windows are those of its steps, and comes back', async () => {
    const path = join(work, 'on-shards');
    const tokenizer = await trainByteLevelBpe([text], { vocabSize: 270 });
    for (const [name, lines] of Object.entries({ web: 40, books: 25 })) {
      const documents = text.split('\n').slice(0, lines);
      const raw = join(work, `${name}.jsonl`);
      writeFileSync(raw, documents.map((each) => JSON.stringify({ text: each })).join('\n'));
      await tokenizeDocuments([raw], join(work, name), { tokenizer, unitBytes: 500 });
    }
    const mixture = join(work, 'mix.json');
    const sources = [
      { shards: 'web', weight: 2.5 },
      { shards: 'books', weight: 1 },
    ];
    writeFileSync(mixture, JSON.stringify({ sources, curriculum: [{ steps: 1, length: 4 }] }));
    const config = parseRunConfig({
      model: { context: 12, config: bloom },
      data: { mixture },
      training: { steps: 4, batchSize: 2, checkpointEvery: 2 },
    });
    const shards = await openRunShards({ mixture });
    const folder = await RunFolder.inspect(path, config);
    const data = await prepareData(config, { shards });
    const inputs = { corpus: shards.sha256, tokenizer: tokenizerText(data.tokenizer) };
    await folder.create(config, inputs);
    const session = await Session.open({ config, data, storage: folder });
    await session.advance();
    await session.advance();
    session.dispose();
    await folder.release();

    const out = join(work, 'on-shards-torch');
    await commit(out, await torchFiles(path));
    const run = JSON.parse(readFileSync(join(out, 'trainer/torch.json'), 'utf8'));
    expect(run).toMatchObject({ step: 2, context: 12, curriculum: [{ steps: 1, length: 4 }] });
    expect(
      run.shards.map(({ weight, dtype }: { weight: number; dtype: string }) => [weight, dtype]),
    ).toEqual([
      [2.5, 'u16'],
      [1, 'u16'],
    ]);
    const [web] = run.shards;
    expect(web.files.length).toBeGreaterThan(2);
    // As train.py reads: all files of a source are one sequence, in which a window lies at its number.
    const tokens = web.files.flatMap((file: { path: string; tokens: number }) => {
      const bytes = readFileSync(join(web.folder, file.path));
      expect(bytes.length).toBe(2 * file.tokens);
      return Array.from(new Uint16Array(new Uint8Array(bytes).buffer));
    });
    const { inputs: seen, examples } = await data.batches.at(3);
    const row = examples!.findIndex((window) => window < Math.floor((web.end - 1) / 12));
    const start = 12 * examples![row]!;
    expect(Array.from(seen.subarray(12 * row, 12 * row + 12))).toEqual(
      tokens.slice(start, start + 12),
    );

    const { change, ...where } = await importedRun(out);
    expect(where).toEqual({ family: 'bloom', step: 2, steps: 4 });
    expect(Object.keys(change.write)).not.toContain('trainer/tokens.bin');
    await expect(torchFiles(path, { corpus })).rejects.toThrow(
      /--corpus is .*; the run reads shards: leave it out/,
    );
    writeFileSync(mixture, JSON.stringify({ sources }));
    await expect(torchFiles(path)).rejects.toThrow(/'data\.mixture' .* has/);
  });
});

describe('export refuses', () => {
  test('a folder without a run, and another text', async () => {
    await expect(torchFiles(work)).rejects.toThrow(/has no trainer\/config\.json/);
    const { path } = await run('moved');
    const other = join(work, 'other.txt');
    writeFileSync(other, `${text} And more.`);
    await expect(torchFiles(path, { corpus: other })).rejects.toThrow(
      /was trained on a text with the SHA-256/,
    );
  });

  test('a run that train.py cannot go on with', async () => {
    const muon = await run('muon', { optimizer: 'muon' });
    await expect(torchFiles(muon.path)).rejects.toThrow(
      `'training.optimizer' is "muon"; train.py goes on with adamw`,
    );
    const averaged = await run('averaged', { emaDecay: 0.9 });
    await expect(torchFiles(averaged.path)).rejects.toThrow(
      "'training.emaDecay' is 0.9; train.py goes on with runs without averages of weights",
    );
    // A run in mixed precision needs a GPU; its settings are what is read here.
    const { path } = await run('mixed');
    rmSync(join(path, 'headwise-manifest.json'));
    const file = join(path, 'trainer/config.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    config.training.precision = 'mixed';
    writeFileSync(file, JSON.stringify(config));
    await expect(torchFiles(path)).rejects.toThrow(
      `'training.precision' is "mixed"; train.py goes on with runs in float32`,
    );
    const parts = { dim: 16, heads: 2, layers: 1, context: 12, position: 'alibi' };
    const headwise = await run('parts', {}, parts);
    await expect(torchFiles(headwise.path)).rejects.toThrow("'model_type' is 'headwise'");
    for (const [modelType, reason] of [
      ['gpt_neox', 'names parameters otherwise than its checkpoints; expected a family of'],
      ['bert', 'a model of the kind encoder; expected a family of decoders'],
    ] as const) {
      const given = readConfiguration({ model_type: modelType });
      expect(() => new ModelKeys(given)).toThrow(`'model_type' is '${modelType}', `);
      expect(() => new ModelKeys(given)).toThrow(reason);
    }
  });
});
