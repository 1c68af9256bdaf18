import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isEncoder, isEncoderDecoder, isLanguageModel, type Tap } from '@headwise/core';
import { sparseCrossEntropy } from '@headwise/kernels';
import { readSafetensors, toFloat32 } from '@headwise/safetensors';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { checkpointTensors } from './checkpoint/tensors.js';
import { sentenceEmbeddings } from './heads.js';
import type { Model } from './model.js';
import { loadModel } from './node.js';

const goldens = fileURLToPath(new URL('../goldens', import.meta.url));
const names = readdirSync(goldens, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** What Hugging Face transformers was given, and what it computed in float64. */
interface Golden {
  /** The class of its model. */
  kind: string;
  inputs: Record<string, tf.Tensor>;
  outputs: Record<string, tf.Tensor>;
  gradients: Record<string, tf.Tensor>;
  loss: number;
  /** What their checkpoint holds besides parameters, which they compute no gradient of. */
  buffers: string[];
}

type Tensors = Record<string, tf.Tensor>;

function readGolden(folder: string): Golden {
  const file = readSafetensors(readFileSync(join(folder, 'expected.safetensors')));
  const parts: Record<string, Tensors> = { inputs: {}, outputs: {}, gradients: {} };
  let loss = Number.NaN;
  for (const key of file.tensors.keys()) {
    const { data, shape, dtype } = file.get(key);
    const [part, ...name] = key.split('.');
    if (part === 'loss') loss = toFloat32(file.get(key), { file: folder, key })[0]!;
    else {
      const type = dtype === 'I32' ? 'int32' : 'float32';
      parts[part!]![name.join('.')] = tf.tensor(data as Float32Array, [...shape], type);
    }
  }
  const note = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
  const { class: kind, buffers } = note as { class: string; buffers: string[] };
  return { kind, loss, buffers, ...(parts as Pick<Golden, 'inputs' | 'outputs' | 'gradients'>) };
}

/** What Hugging Face calls the outputs of encoders. */
const theirNames: Record<string, string> = {
  hidden: 'last_hidden_state',
  pooled: 'pooler_output',
  tokenLogits: 'prediction_logits',
  nextSentenceLogits: 'seq_relationship_logits',
  startLogits: 'start_logits',
  endLogits: 'end_logits',
};

/** What a model gives, by Hugging Face's names; `tap` sees what it passes. */
function outputsOf({ network }: Model, inputs: Tensors, tap?: Tap): Tensors {
  const { input_ids: ids, attention_mask: attentionMask } = inputs as Record<string, tf.Tensor>;
  const ctx = { ...(tap ? { tap } : {}), ...(attentionMask ? { attentionMask } : {}) };
  if (isLanguageModel(network)) return { logits: network.forward(ids!, ctx) };
  if (isEncoder(network)) {
    const tokenTypes = inputs.token_type_ids;
    const encoding = { ...ctx, ...(tokenTypes ? { tokenTypes } : {}) };
    const outputs = Object.entries(network.forward(ids!, encoding));
    const named = outputs.map(([name, value]) => [theirNames[name] ?? name, value]);
    if (!('cotangent.sentence_embedding' in inputs)) return Object.fromEntries(named);
    const sentence_embedding = sentenceEmbeddings(network, ids!, encoding);
    return { ...Object.fromEntries(named), sentence_embedding };
  }
  const encoded = network.encode(ids!, ctx);
  const mask = inputs.decoder_attention_mask;
  const decoding = { ...(tap ? { tap } : {}), ...(mask ? { attentionMask: mask } : {}) };
  const logits = network.decode(inputs.decoder_input_ids!, encoded, decoding);
  return { encoder_last_hidden_state: encoded.states, logits };
}

/** Hidden states and attention maps by Hugging Face's names, from what a tap has seen. */
function statesOf(seen: Tensors, { outputs }: Golden, model: Model): Tensors {
  const both = isEncoderDecoder(model.network);
  const states: Tensors = {};
  for (const name of Object.keys(outputs)) {
    const [, kind = '', what, layer] =
      /^(encoder_|decoder_|cross_)?(hidden_states|attentions)\.(\d+)$/.exec(name) ?? [];
    if (!what) continue;
    const stack = !both ? '' : kind === 'encoder_' ? 'encoder.' : 'decoder.';
    const last = !(`${name.replace(/\d+$/, '')}${Number(layer) + 1}` in outputs);
    const block = `${stack}blocks.${Number(layer) - (what === 'attentions' ? 0 : 1)}`;
    const tap =
      what === 'attentions'
        ? `${block}.${kind === 'cross_' ? 'cross' : 'attn'}.pattern`
        : layer === '0'
          ? `${stack}embedded`
          : last && `${stack}final` in seen
            ? `${stack}final`
            : `${block}.resid`;
    expect(Object.keys(seen), name).toContain(tap);
    states[name] = seen[tap]!;
  }
  return states;
}

const crossEntropy = (logits: tf.Tensor, labels: tf.Tensor, labelSmoothing = 0): tf.Scalar => {
  const rows = logits.reshape<tf.Tensor2D>([-1, logits.shape.at(-1)!]);
  const flat = labels.reshape<tf.Tensor1D>([-1]);
  const counted = flat.notEqual(-100).toFloat().sum();
  return sparseCrossEntropy(rows, flat, { labelSmoothing }).sum().div(counted);
};

/** The loss that `expected.json` describes for a class of models. */
function lossOf({ kind, inputs }: Golden, outputs: Tensors): tf.Scalar {
  const { logits } = outputs as Record<string, tf.Tensor>;
  const { labels } = inputs as Record<string, tf.Tensor>;
  if (/ForCausalLM$|LMHeadModel$/.test(kind)) {
    const [batch, length, vocabulary] = logits!.shape as [number, number, number];
    const scores = logits!.slice([0, 0, 0], [batch, length - 1, vocabulary]);
    return crossEntropy(scores, labels!.slice([0, 1], [batch, length - 1]));
  }
  if (kind === 'BertModel') {
    const parts = Object.keys(inputs).filter((key) => key.startsWith('cotangent.'));
    const products = parts.map((key) => outputs[key.slice(10)]!.mul(inputs[key]!).sum());
    return tf.addN(products) as tf.Scalar;
  }
  if (kind === 'BertForPreTraining') {
    const { prediction_logits: words, seq_relationship_logits: next } = outputs as Tensors;
    return crossEntropy(words!, labels!).add(crossEntropy(next!, inputs.next_sentence_label!));
  }
  if (kind === 'BertForQuestionAnswering') {
    const { start_logits: start, end_logits: end } = outputs as Tensors;
    const { start_positions: from, end_positions: to } = inputs as Tensors;
    return crossEntropy(start!, from!).add(crossEntropy(end!, to!)).div(2);
  }
  return crossEntropy(logits!, labels!, kind === 'MarianMTModel' ? 0.1 : 0);
}

/** Zeros where the query is padding: what stands there is nobody's promise. */
function withoutPadding(name: string, value: tf.Tensor, { inputs, kind }: Golden): tf.Tensor {
  if (kind === 'BertForQuestionAnswering' && value.rank === 2) return value;
  const decoder = /^(decoder|cross)_/.test(name) || (name === 'logits' && inputs.decoder_input_ids);
  const mask = decoder ? inputs.decoder_attention_mask : inputs.attention_mask;
  if (!mask || value.rank < 2) return value;
  const [batch, length] = mask.shape as [number, number];
  if (value.rank === 4) return value.mul(mask.reshape([batch, 1, length, 1]));
  if (value.shape[1] !== length) return value;
  return value.mul(mask.reshape([batch, length, ...Array(value.rank - 2).fill(1)]));
}

describeBackends('parity with Hugging Face transformers', () => {
  const webgpu = tf.getBackend() === 'webgpu';
  const bound = { ratio: webgpu ? 1e-4 : 2e-5, floor: 1e-6 };

  for (const name of names.filter((name) => !name.startsWith('transformer-xl'))) {
    test(`${name}: logits, hidden states, attention maps, loss and every gradient`, async () => {
      const golden = readGolden(join(goldens, name));
      const model = await loadModel(join(goldens, name));
      expect(model.unusedKeys).toEqual([]);

      const seen: Tensors = {};
      const tapped = tf.tidy(() => {
        const outputs = outputsOf(model, golden.inputs, (path, value) => {
          seen[path] = tf.keep(value.clone());
        });
        return { ...outputs, ...statesOf(seen, golden, model) };
      });
      const fused = tf.tidy(() => outputsOf(model, golden.inputs));
      for (const [key, expected] of Object.entries(golden.outputs)) {
        for (const outputs of [tapped, fused] as Tensors[]) {
          if (!(key in outputs)) {
            expect(outputs, `${name} gives ${key}`).toBe(fused);
            continue;
          }
          const actual = withoutPadding(key, outputs[key]!, golden);
          await expectClose(actual, expected, bound).catch((error: Error) => {
            throw new Error(`${key}: ${error.message}`);
          });
        }
      }

      const params = model.params.named();
      const { value, grads } = tf.variableGrads(
        () => lossOf(golden, outputsOf(model, golden.inputs)),
        Object.values(params),
      );
      expect((await value.data())[0]! / golden.loss).toBeCloseTo(1, 4);
      const gradients = checkpointTensors(model, (_, variable) => grads[variable.name]!);
      const trained = Object.keys(gradients).filter((key) => !golden.buffers.includes(key));
      expect(trained.sort()).toEqual(Object.keys(golden.gradients).sort());
      for (const [key, expected] of Object.entries(golden.gradients)) {
        const actual = (await gradients[key]!.data()) as Float32Array;
        await expectClose(actual, expected, { ratio: 1e-4, floor: 1e-6 }).catch((error: Error) => {
          throw new Error(`gradient of ${key}: ${error.message}`);
        });
      }
      model.params.dispose();
      tf.disposeVariables();
    });
  }
});
