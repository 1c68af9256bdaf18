import { generate } from '@headwise/generation';
import { createModel, type DecoderSettings, type WeightDtype } from '@headwise/models';
import type { Workload } from '@headwise/testing';
import { ceilingOf, printShare } from '../ceiling.js';
import { llamaSmall } from './models.js';

/** The values of a model's matrices that each token of a prompt is multiplied by; the head's meets the last token alone. */
function matrixValues(config: DecoderSettings): number {
  if (config.model_type === 'gpt2') return 12 * 12 * 768 ** 2;
  const { hidden_size: dim, intermediate_size: hidden, num_hidden_layers: layers } = llamaSmall;
  const keysValues = (2 * dim * llamaSmall.num_key_value_heads) / llamaSmall.num_attention_heads;
  return layers * dim * (2 * dim + keysValues + 3 * hidden);
}

/** The time to the first token of a prompt by the public `generate`, against as many multiply-adds in registers as its products have. */
function prefill(
  name: string,
  config: DecoderSettings,
  length: number,
  dtype: WeightDtype = 'f32',
): Workload {
  const full = `prefill/${name}/${dtype}/${length}`;
  return {
    name: full,
    backends: ['webgpu'],
    async prepare() {
      const { network, params } = createModel(config, { dtype, seed: 1 });
      const prompt = Array.from({ length }, (_, i) => (i * 7919 + 464) % network.vocabSize);
      const ours = async () => {
        for await (const _ of generate(network, prompt, { maxNewTokens: 1 }));
      };
      const operations = 2 * length * matrixValues(config);
      const ceiling = await ceilingOf(operations);
      await printShare(full, ours, operations, ceiling, length);
      return {
        ours,
        peers: { ceiling: ceiling.run },
        dispose: () => {
          ceiling.dispose();
          params.dispose();
        },
      };
    },
  };
}

export const workloads: Workload[] = [
  prefill('gpt2-small', { model_type: 'gpt2' }, 240),
  prefill('gpt2-small', { model_type: 'gpt2' }, 960),
  prefill('gpt2-small', { model_type: 'gpt2' }, 240, 'int8'),
  prefill('llama-small', llamaSmall, 240),
];
