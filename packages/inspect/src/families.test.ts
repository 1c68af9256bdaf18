import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ForwardContext, isEncoder, isEncoderDecoder, isLanguageModel } from '@headwise/core';
import { loadModel } from '@headwise/models/node';
import { readSafetensors } from '@headwise/safetensors';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { activationNames, capture } from './capture.js';

type Tensors = Record<string, tf.Tensor>;

/** What Hugging Face transformers was given, and what it computed inside. */
function readGolden(folder: string): { inputs: Tensors; outputs: Tensors } {
  const file = readSafetensors(readFileSync(`${folder}/expected.safetensors`));
  const parts: Record<string, Tensors> = { inputs: {}, outputs: {} };
  for (const key of file.tensors.keys()) {
    const [part, ...name] = key.split('.');
    if (part !== 'inputs' && part !== 'outputs') continue;
    const { data, shape, dtype } = file.get(key);
    const type = dtype === 'I32' ? 'int32' : 'float32';
    parts[part]![name.join('.')] = tf.tensor(data as Float32Array, [...shape], type);
  }
  return parts as { inputs: Tensors; outputs: Tensors };
}

/** Where the hidden states and attention maps of Hugging Face are in a model of ours. */
function activationOf(
  output: string,
  outputs: Tensors,
  { stacks, ours }: { stacks: boolean; ours: readonly string[] },
): string {
  const [, kind = '', what, layer] =
    /^(encoder_|decoder_|cross_)?(hidden_states|attentions)\.(\d+)$/.exec(output)!;
  const stack = stacks ? (kind === 'encoder_' ? 'encoder.' : 'decoder.') : '';
  const block = Number(layer);
  if (what === 'attentions') {
    return `${stack}blocks.${block}.${kind === 'cross_' ? 'cross' : 'attn'}.pattern`;
  }
  if (block === 0) return `${stack}embedded`;
  const last = !(`${kind}hidden_states.${block + 1}` in outputs);
  // Hugging Face's last hidden state has gone through the last norm, where there is one.
  const final = `${stack}final`;
  return last && ours.includes(final) ? final : `${stack}blocks.${block - 1}.resid`;
}

/** Zeros where the query is padding: what stands there is nobody's promise. */
function withoutPadding(value: tf.Tensor, mask: tf.Tensor | undefined): tf.Tensor {
  if (!mask) return value;
  const [batch, length] = mask.shape as [number, number];
  return value.mul(mask.reshape(value.rank === 4 ? [batch, 1, length, 1] : [batch, length, 1]));
}

test.each(['bert', 't5', 'bart', 'llama-gqa-llama3', 'bloom'])(
  "%s: captured maps and hidden states are Hugging Face's, and change no bit of the output",
  async (name) => {
    const folder = fileURLToPath(new URL(`../../parity/goldens/${name}`, import.meta.url));
    const { inputs, outputs } = readGolden(folder);
    const { network, params } = await loadModel(folder);
    const masked = (ctx: ForwardContext | undefined, attentionMask: tf.Tensor | undefined) => ({
      ...ctx,
      ...(attentionMask ? { attentionMask } : {}),
    });
    const model = {
      forward: (ids: tf.Tensor, given?: ForwardContext): tf.Tensor => {
        const ctx = masked(given, inputs.attention_mask);
        if (isLanguageModel(network)) return network.forward(ids, ctx);
        if (isEncoder(network)) {
          const tokenTypes = inputs.token_type_ids;
          return network.encode(ids, { ...ctx, ...(tokenTypes ? { tokenTypes } : {}) });
        }
        const decoding = masked(given, inputs.decoder_attention_mask);
        return network.decode(inputs.decoder_input_ids!, network.encode(ids, ctx), decoding);
      },
    };
    const layout = {
      stacks: isEncoderDecoder(network),
      ours: activationNames(model, inputs.input_ids!),
    };
    const wanted = Object.keys(outputs).filter((key) => /(hidden_states|attentions)\.\d/.test(key));
    const names = wanted.map((key) => activationOf(key, outputs, layout));
    const captured = capture(model, inputs.input_ids!, names);
    expect(wanted.length).toBeGreaterThan(4);
    for (const [i, key] of wanted.entries()) {
      const mask = /^(decoder|cross)_/.test(key)
        ? inputs.decoder_attention_mask
        : inputs.attention_mask;
      const actual = withoutPadding(captured.get(names[i]!), mask);
      await expectClose(actual, outputs[key]!, { ratio: 2e-5, floor: 1e-6 }).catch(
        (error: Error) => {
          throw new Error(`${key}: ${error.message}`);
        },
      );
    }
    const plain = tf.tidy(() => model.forward(inputs.input_ids!));
    expect(await captured.output.data()).toEqual(await plain.data());
    captured.dispose();
    params.dispose();
  },
);
