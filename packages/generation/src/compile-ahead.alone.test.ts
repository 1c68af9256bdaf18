import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { currentDevice, GpuError } from '@headwise/core';
import { start } from '@headwise/kernels';
import { languageModel, type WeightDtype } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { gpuBytes } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { generate } from './generate.js';

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));
const isDecoder = (name: string) => {
  const config = JSON.parse(readFileSync(`${goldens}/${name}/config.json`, 'utf8'));
  const [kind] = config.architectures;
  // A decoder that reads an encoder's output takes no prompt alone.
  return !config.add_cross_attention && /ForCausalLM$|LMHeadModel$/.test(kind);
};
const decoders = readdirSync(goldens, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && isDecoder(entry.name))
  .map(({ name }) => name);
const all = process.env.HEADWISE_TESTS === 'full';
const names = all ? decoders : ['gpt2', 'llama-gqa-llama3'];
if (!all) {
  console.log(
    `${names.length} of ${decoders.length} decoders, as each compiles its shaders; HEADWISE_TESTS=full: all`,
  );
}

// A device of its own, which has compiled nothing.
beforeAll(async () => {
  await start({ prefer: 'webgpu' });
});
afterEach(() => vi.restoreAllMocks());

/** Labels of the pipelines that are compiled from now on while everything waits for them. */
function compiledAtUse(): string[] {
  const { gpu } = currentDevice()!;
  const create = gpu.createComputePipeline;
  const labels: string[] = [];
  vi.spyOn(gpu, 'createComputePipeline').mockImplementation((descriptor) => {
    labels.push(descriptor.label!);
    return create.call(gpu, descriptor);
  });
  return labels;
}

/** Loads a model and draws two tokens. */
async function firstTokens(name: string, dtype: WeightDtype = 'f32'): Promise<number[]> {
  const { network, params } = languageModel(await loadModel(`${goldens}/${name}`, { dtype }));
  const prompt = Array.from({ length: Math.min(12, network.maxLength - 2) }, (_, i) => 1 + i);
  const ids: number[] = [];
  try {
    for await (const id of generate(network, prompt, { maxNewTokens: 2, seed: 1 })) ids.push(id);
  } finally {
    params.dispose();
  }
  return ids;
}

for (const name of names) {
  test(`the first tokens of ${name} find their pipelines compiled with its loading`, async () => {
    const labels = compiledAtUse();
    expect(await firstTokens(name)).toHaveLength(2);
    expect(labels).toEqual([]);
  });
}

test('packed weights have pipelines of their own, and nothing of the compiling stays', async () => {
  const labels = compiledAtUse();
  const ids = await firstTokens('gpt2', 'int8');
  const before = { ...tf.memory(), ...gpuBytes() };
  expect(await firstTokens('gpt2', 'int8')).toEqual(ids);
  expect(labels).toEqual([]);
  expect(tf.memory().numTensors).toBe(before.numTensors);
  expect(gpuBytes().used).toBe(before.used);
});

test('what is not compiled ahead is compiled by its use, and draws the same tokens', async () => {
  const { gpu } = currentDevice()!;
  const labels = compiledAtUse();
  const refused = vi
    .spyOn(gpu, 'createComputePipelineAsync')
    .mockRejectedValue(new Error('refused by the test'));
  const ids = await firstTokens('gpt2', 'f16');
  expect(refused).toHaveBeenCalled();
  expect(labels).toContain('headwise/DecodeLinear');
  expect(await firstTokens('gpt2', 'f16')).toEqual(ids);
});

test('a shader that the driver refuses is a GpuError, as where nothing is compiled ahead', async () => {
  const { gpu } = currentDevice()!;
  const create = gpu.createShaderModule;
  vi.spyOn(gpu, 'createShaderModule').mockImplementation((descriptor) =>
    create.call(gpu, { ...descriptor, code: 'no WGSL' }),
  );
  await expect(firstTokens('gpt2', 'int4')).rejects.toThrow(GpuError);
});
