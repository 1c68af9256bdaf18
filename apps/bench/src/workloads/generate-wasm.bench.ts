import type { LanguageModel } from '@headwise/core';
import { generate } from '@headwise/generation';
import { createModel, type DecoderSettings, type WeightDtype } from '@headwise/models';
import type { Contestants, Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { msPerToken } from '../decoded.js';
import { llamaSmall } from './models.js';

const prompt = Array.from({ length: 64 }, (_, i) => (i * 7919 + 464) % 8192);

/** A greedy token of two layers by `generate` on wasm, with our kernels and with plain operations. */
async function contestants(settings: DecoderSettings, dtype: WeightDtype): Promise<Contestants> {
  const { network, params } = createModel(settings, { dtype, seed: 1 });
  const decoded = (tokens: number) => async () => ({
    ms: msPerToken(await decode(network as LanguageModel, tokens)),
  });
  // Plain operations take seconds for a token of packed weights.
  const plain = decoded(dtype === 'f32' ? 16 : 3);
  return {
    ours: decoded(16),
    peers: { plain: () => withoutKernels(plain) },
    dispose: () => params.dispose(),
  };
}

async function decode(network: LanguageModel, tokens: number) {
  const ids: number[] = [];
  const times: number[] = [];
  for await (const id of generate(network, prompt, { temperature: 0, maxNewTokens: tokens })) {
    ids.push(id);
    times.push(performance.now());
  }
  return { ids, times };
}

/** Runs with our kernels taken out of the registry. */
async function withoutKernels<T>(run: () => Promise<T>): Promise<T> {
  const ours = tf
    .getKernelsForBackend('wasm')
    .filter(({ kernelName }) => kernelName.startsWith('headwise/'));
  for (const { kernelName } of ours) tf.unregisterKernel(kernelName, 'wasm');
  try {
    return await run();
  } finally {
    for (const kernel of ours) tf.registerKernel(kernel);
  }
}

const models: Readonly<Record<string, DecoderSettings>> = {
  gpt2: { model_type: 'gpt2', n_layer: 2, vocab_size: 8192 },
  llama: { ...llamaSmall, num_hidden_layers: 2, vocab_size: 8192 },
};

export const workloads: Workload[] = Object.entries(models).flatMap(([name, settings]) =>
  (['f32', 'int8', 'int4'] as const).map((dtype) => ({
    name: `generate/wasm/${name}-2x768/${dtype}`,
    backends: ['wasm'] as const,
    prepare: () => contestants(settings, dtype),
  })),
);
