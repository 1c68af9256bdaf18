import { type EncoderDecoderModel, isEncoderDecoder } from '@headwise/core';
import { sparseCrossEntropy } from '@headwise/kernels';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { checkpointSource } from './checkpoint.js';
import { placeOf } from './family.js';
import { type Golden, readGolden, valuesOf, withoutPadding } from './goldens/read.node.js';
import { createModel, familyOf } from './model.js';

const names = ['transformer-2017', 'marian', 'bart'];

describeBackends('an encoder-decoder of Hugging Face transformers', () => {
  const ratio = () => (tf.getBackend() === 'webgpu' ? 1e-4 : 2e-5);

  for (const name of names) {
    test(`${name}: logits, hidden states, attention maps, and the gradient of every parameter`, async () => {
      const golden = readGolden(name);
      const { config, inputs, expected, weights } = golden;
      const family = familyOf(config);
      const parsed = family.parseConfig(config);
      const source = checkpointSource(family, parsed, weights, name);
      const { network, params } = createModel(config, { source });
      expect(source.unused()).toEqual([]);
      if (!isEncoderDecoder(network)) throw new Error(`${name} is no encoder-decoder`);

      const seen = new Map<string, tf.Tensor>();
      const tap = (path: string, value: tf.Tensor) => void seen.set(path, tf.keep(value.clone()));
      const logits = logitsOf(network, golden, tap);
      await expectEqual('logits', logits, 'decoder');
      for (const side of ['encoder', 'decoder'] as const) {
        const layers = [...seen.keys()].filter(
          (path) => path.startsWith(side) && path.endsWith('.resid'),
        ).length;
        for (let i = 0; i <= layers; i++) {
          const name = i === 0 ? 'embedded' : i < layers ? `blocks.${i - 1}.resid` : 'final';
          await expectEqual(`${side}_hidden_states.${i}`, seen.get(`${side}.${name}`)!, side);
        }
        for (let i = 0; i < layers; i++) {
          const pattern = seen.get(`${side}.blocks.${i}.attn.pattern`)!;
          await expectEqual(`${side}_attentions.${i}`, pattern, side);
          if (side === 'encoder') continue;
          const cross = seen.get(`decoder.blocks.${i}.cross.pattern`)!;
          await expectEqual(`cross_attentions.${i}`, cross, side);
        }
      }
      async function expectEqual(key: string, value: tf.Tensor, side: 'encoder' | 'decoder') {
        const mask = side === 'encoder' ? inputs.attention_mask! : inputs.decoder_attention_mask!;
        const values = valuesOf(expected, `outputs.${key}`);
        await expectClose(withoutPadding(value, mask), values, { ratio: ratio() }).catch(
          (error: Error) => {
            throw new Error(`${key}: ${error.message}`);
          },
        );
      }

      const named = params.named();
      const { value, grads } = tf.variableGrads(
        () => lossOf(logitsOf(network, golden), golden),
        Object.values(named),
      );
      await expectClose(value, valuesOf(expected, 'loss'), { ratio: ratio() });
      const compared = new Set<string>();
      for (const [path, variable] of Object.entries(named)) {
        const { key } = placeOf(family.keys(parsed), path);
        // A buffer of theirs is a parameter of ours, whose gradient they do not compute.
        if (golden.buffers.includes(key)) continue;
        const gradient = valuesOf(expected, `gradients.${key}`);
        await expectClose(grads[variable.name]!, gradient, { ratio: 1e-4, floor: 1e-6 }).catch(
          (error: Error) => {
            throw new Error(`gradient of ${path}: ${error.message}`);
          },
        );
        compared.add(`gradients.${key}`);
      }
      const all = [...expected.tensors.keys()].filter((key) => key.startsWith('gradients.'));
      expect([...compared].sort()).toEqual(all.sort());
      params.dispose();
    });
  }
});

function logitsOf(
  network: EncoderDecoderModel,
  { inputs }: Golden,
  tap?: (path: string, value: tf.Tensor) => undefined,
): tf.Tensor {
  const ctx = tap ? { tap } : {};
  const source = { ...ctx, attentionMask: inputs.attention_mask! };
  const encoded = network.encode(inputs.input_ids!, source);
  const target = { ...ctx, attentionMask: inputs.decoder_attention_mask! };
  return network.decode(inputs.decoder_input_ids!, encoded, target);
}

/** The mean over labels that are not ignored; smoothed where the golden says so. */
function lossOf(logits: tf.Tensor, { inputs, loss }: Golden): tf.Scalar {
  const [, labelSmoothing = 0] = (/label smoothing ([\d.]+)/.exec(loss) ?? []).map(Number);
  const rows = logits.reshape<tf.Tensor2D>([-1, logits.shape.at(-1)!]);
  const labels = inputs.labels!.reshape<tf.Tensor1D>([-1]);
  const count = labels.notEqual(-100).sum().toFloat();
  return sparseCrossEntropy(rows, labels, { labelSmoothing }).sum().div(count) as tf.Scalar;
}
