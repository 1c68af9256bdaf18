import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isEncoder, isEncoderDecoder } from '@headwise/core';
import { readSafetensors, writeSafetensors } from '@headwise/safetensors';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import golden from '../goldens/adapters.json' with { type: 'json' };
import { loadAdapter, loadModel, saveAdapter } from '../node.js';
import { AdaptedModel } from './adapted.js';
import type { Lora } from './lora.js';

type Model = Awaited<ReturnType<typeof loadModel>>;
type Case = (typeof golden.cases)[number];

const modelOf = ({ model }: Case) =>
  loadModel(fileURLToPath(new URL(`../../../parity/goldens/${model}`, import.meta.url)));

const bytesOf = ({ folder }: Case, file: keyof Case['folder']) =>
  Buffer.from(folder[file], 'base64');

function folderOf(
  one: Case,
  config: Record<string, unknown> = {},
  weights: Uint8Array = bytesOf(one, 'adapter_model.safetensors'),
): string {
  const folder = mkdtempSync(join(tmpdir(), 'headwise-adapter-'));
  const json = JSON.parse(bytesOf(one, 'adapter_config.json').toString());
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...json, ...config }));
  writeFileSync(join(folder, 'adapter_model.safetensors'), weights);
  return folder;
}

/** The outputs that a golden names, of a network with an adapter, or of the bare one. */
async function outputsOf(model: Model, one: Case, lora?: Lora): Promise<Record<string, number[]>> {
  const network = new AdaptedModel(model.network, lora);
  const ids = (name: 'input_ids' | 'decoder_input_ids') =>
    tf.tensor2d((one.ids as Record<string, number[][]>)[name]!, undefined, 'int32');
  const named: Record<string, tf.Tensor> = {};
  if (isEncoderDecoder(network)) {
    named.logits = network.decode(ids('decoder_input_ids'), network.encode(ids('input_ids')));
  } else if (isEncoder(network)) {
    const { logits, startLogits, endLogits } = network.forward(ids('input_ids'));
    Object.assign(named, { logits, start_logits: startLogits, end_logits: endLogits });
  } else if ('last_hidden_state' in one.outputs) {
    named.last_hidden_state = network.head!.hidden(ids('input_ids'));
  } else {
    named.logits = network.forward(ids('input_ids'));
  }
  const read = Object.keys(one.outputs).map(async (key) => [key, [...(await named[key]!.data())]]);
  return Object.fromEntries(await Promise.all(read));
}

async function expectOutputs(model: Model, one: Case, lora?: Lora): Promise<void> {
  for (const [key, values] of Object.entries(await outputsOf(model, one, lora))) {
    const expected = (one.outputs as Record<string, number[]>)[key]!;
    await expectClose(values, expected, { ratio: 1e-5 });
  }
}

describe.each(golden.cases.map((one) => [`${one.name} (${one.model})`, one] as const))(
  '%s',
  (_, one) => {
    test('computes what PEFT does, beside the model, merged, and saved again', async () => {
      const model = await modelOf(one);
      const bare = await outputsOf(model, one);
      const lora = await loadAdapter(folderOf(one), model);
      await expectOutputs(model, one, lora);

      lora.merge();
      await expectOutputs(model, one);
      await expectOutputs(model, one, lora);
      lora.unmerge();
      for (const [key, values] of Object.entries(await outputsOf(model, one))) {
        await expectClose(values, bare[key]!, { ratio: 1e-5 });
      }

      const saved = mkdtempSync(join(tmpdir(), 'headwise-adapter-'));
      await saveAdapter(saved, model, lora);
      const again = await loadAdapter(saved, model);
      await expectOutputs(model, one, again);
      for (const { params } of [again, lora, model]) params.dispose();
    });
  },
);

describe('an adapter that would compute something else', () => {
  const [one] = golden.cases as [Case];

  test.each<[key: string, value: unknown]>([
    ['init_lora_weights', 'pissa'],
    ['init_lora_weights', 'pissa_niter_16'],
    ['init_lora_weights', 'olora'],
    ['init_lora_weights', 'corda'],
    ['init_lora_weights', 'loftq'],
    ['init_lora_weights', 'lora_ga'],
    ['init_lora_weights', 'mica'],
    ['init_lora_weights', 'of another day'],
    ['use_qalora', true],
    ['use_bdlora', { nblocks: 2 }],
    ['target_parameters', ['experts.gate_up_proj']],
    ['trainable_token_indices', [1, 2]],
    ['alora_invocation_tokens', [3]],
    ['layer_replication', [[0, 2]]],
    ['megatron_config', {}],
    ['velora_config', { num_groups: 4 }],
    ['kasa_config', {}],
    ['monteclora_config', {}],
    ['arrow_config', { top_k: 2 }],
    ['layers_to_transform', 1],
    ['layers_pattern', 'h'],
    ['bias', 'some'],
    ['peft_type', 'IA3'],
    ['target_modules', null],
    ['target_modules', '('],
    ['exclude_modules', '(a)\\1'],
    ['rank_pattern', { '[': 2 }],
    ['alpha_pattern', { '\\p{L}': 2 }],
    ['rank_pattern', { c_fc: 0 }],
    ['a_key_of_tomorrow', 'on'],
    ['modules_to_save', ['wte']],
  ])('is refused by its key: %s %j', async (key, value) => {
    const model = await modelOf(one);
    await expect(loadAdapter(folderOf(one, { [key]: value }), model)).rejects.toThrow(
      new RegExp(`adapter_config\\.json: '${key}`),
    );
    model.params.dispose();
  });

  test('keys of tomorrow that switch nothing on are taken', async () => {
    const model = await modelOf(one);
    const config = { use_more: false, more_config: null, more_pattern: {}, rank_pattern_: [] };
    const lora = await loadAdapter(folderOf(one, config), model);
    await expectOutputs(model, one, lora);
    for (const { params } of [lora, model]) params.dispose();
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('%d is refused by its tensor', async (bad) => {
    const model = await modelOf(one);
    const file = readSafetensors(bytesOf(one, 'adapter_model.safetensors'));
    const keys = [...file.tensors.keys()];
    const tensors = Object.fromEntries(keys.map((key) => [key, file.get(key)]));
    (tensors[keys[1]!]!.data as Float32Array)[3] = bad;
    const before = tf.memory().numTensors;
    const folder = folderOf(one, {}, writeSafetensors(tensors));
    await expect(loadAdapter(folder, model)).rejects.toThrow(
      `tensor '${keys[1]}' holds ${bad} at 3; expected finite values`,
    );
    expect(tf.memory().numTensors).toBe(before);
    model.params.dispose();
  });

  test('updates of embeddings are refused by the embedding', async () => {
    const model = await modelOf(one);
    const file = readSafetensors(bytesOf(one, 'adapter_model.safetensors'));
    const tensors = Object.fromEntries([...file.tensors.keys()].map((key) => [key, file.get(key)]));
    tensors['base_model.model.transformer.wte.lora_embedding_A'] = {
      dtype: 'F32',
      shape: [2, 97],
      data: new Float32Array(194),
    };
    const folder = folderOf(one, {}, writeSafetensors(tensors));
    await expect(loadAdapter(folder, model)).rejects.toThrow(
      "'target_modules' names an embedding, transformer.wte",
    );
    model.params.dispose();
  });
});
