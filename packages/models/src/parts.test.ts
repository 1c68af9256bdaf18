import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LanguageModel, ParamStore } from '@headwise/core';
import { Embedding } from '@headwise/layers';
import { Encoder } from '@headwise/transformer';
import { expect, test } from 'vitest';
import { EncoderDecoder } from './build/encoder-decoder.js';
import type { PresetChange } from './change.js';
import { AdaptedModel } from './lora/adapted.js';
import { Lora } from './lora/lora.js';
import { modelFromPreset } from './model.js';
import { loadModel, saveAdapter, saveModel } from './node.js';

const folder = new URL('../../parity/goldens/gpt2', import.meta.url).pathname;
const layer = { forward: (x: unknown) => x } as never;

test('saving a hand-built network throws an error that says how to save it', async () => {
  const params = new ParamStore();
  const tokens = new Embedding(params.at('tokens'), { count: 7, dim: 4 });
  const forward: LanguageModel['forward'] = (ids) => tokens.scores(tokens.forward(ids));
  const built = { params, network: { vocabSize: 7, maxLength: 9, forward } } as never;
  const out = mkdtempSync(join(tmpdir(), 'headwise-parts-'));
  await expect(saveModel(out, built)).rejects.toThrow(
    "saveModel: the model's family is undefined; expected that of a model of createModel or loadModel; the parameters of a network that is built by hand are saved with saveParams(folder, params)",
  );
  await expect(saveModel(out, params as never)).rejects.toThrow(
    'saveModel: the model: params is undefined; expected a ParamStore',
  );
  await expect(saveModel(out, undefined as never)).rejects.toThrow(
    'saveModel: the model is undefined; expected a model of createModel',
  );
  await expect(saveAdapter(out, built, {} as never)).rejects.toThrow(
    "saveAdapter: the model's family is undefined",
  );
  expect(readdirSync(out)).toEqual([]);
  params.dispose();
});

test.each<[change: unknown, message: string]>([
  [{ position: { kind: 'alibis' } }, "change: 'position"],
  [{ layers: 0 }, "change: 'layers' is 0"],
  [{ norm: { kind: 'batch' } }, "change: 'norm"],
  [{ positions: { kind: 'alibi' } }, "change: unknown key 'positions'"],
  [{ heads: { count: 7 } }, 'change: '],
  ['alibi', "change is 'alibi'; expected an object of parts"],
])('a mistake in a change is the change’s: %j', async (change, message) => {
  const settings = { n_embd: 20, n_head: 5, n_layer: 1, n_positions: 8, vocab_size: 11 };
  const wrong = { change: change as PresetChange };
  expect(() => modelFromPreset('gpt2', settings, wrong)).toThrow(message);
  expect(() => modelFromPreset('gpt2', settings, wrong)).not.toThrow('config.json');
  await expect(loadModel(folder, wrong)).rejects.toThrow('change');
});

test('parts of models and adapters are named', () => {
  const made = (parts: object) => () =>
    new EncoderDecoder({
      embedSource: layer,
      encoder: layer,
      embedTarget: layer,
      decoder: layer,
      scores: layer,
      ...parts,
    } as never);
  expect(made({ encoder: Encoder })).toThrow('EncoderDecoder: encoder is class Encoder; expected');
  expect(made({ scores: undefined })).toThrow('EncoderDecoder: scores is undefined; expected');
  const network = (given: unknown, adapters?: unknown) => () =>
    new AdaptedModel(given as LanguageModel, adapters as never);
  expect(network({})).toThrow('AdaptedModel: network is an object; expected a language model');
  expect(network(AdaptedModel)).toThrow('AdaptedModel: network is class AdaptedModel');
  expect(network(layer, Lora)).toThrow('AdaptedModel: adapters is class Lora; expected what new');
  expect(() => new Lora({ named: 1 } as never, { rank: 1, targets: /x/ })).toThrow(
    'Lora: params is an object; expected a ParamStore',
  );
});
