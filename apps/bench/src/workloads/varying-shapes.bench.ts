import { currentDevice, Random } from '@headwise/core';
import { createModel } from '@headwise/models';
import { type Contestants, gpuBytes, type Run, type Workload } from '@headwise/testing';
import { AdamW, clipping, languageModelLoss, lossAndGradients } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

/** The model that comes with the lab, for longer texts. */
const config = {
  vocab_size: 512,
  n_positions: 512,
  n_embd: 96,
  n_layer: 4,
  n_head: 4,
  n_inner: 352,
};
const dropouts = { embd_pdrop: 0, resid_pdrop: 0, attn_pdrop: 0 };

/** A shape, `[B, T]`, to run. */
type Shape = readonly [rows: number, tokens: number];
type Runs = (shape: Shape) => Promise<void>;

interface Varying {
  name: string;
  count: number;
  largest: Shape;
  prepare(): { run: Runs; dispose(): void };
}

const varying: Varying[] = [
  { name: 'prompts', count: 1000, largest: [1, 512], prepare: prompts },
  { name: 'training-steps', count: 200, largest: [4, 128], prepare: trainingSteps },
];

function prompts(): ReturnType<Varying['prepare']> {
  const { network, params } = createModel({ model_type: 'gpt2', ...config, ...dropouts });
  const run: Runs = async ([rows, tokens]) => {
    const ids = tf.tensor2d(idsFor(rows * tokens), [rows, tokens], 'int32');
    const scores = tf.tidy(() => network.forward(ids).slice([0, tokens - 1, 0], [rows, 1, -1]));
    await scores.data();
    tf.dispose([ids, scores]);
  };
  return { run, dispose: () => params.dispose() };
}

function trainingSteps(): ReturnType<Varying['prepare']> {
  const { network, params } = createModel({ model_type: 'gpt2', ...config, ...dropouts });
  const named = params.named();
  const optimizer = new AdamW(named);
  const run: Runs = async (shape) => {
    const inputs = idsFor(shape[0] * shape[1]);
    const batch = { inputs, targets: inputs, shape };
    const { loss, gradients } = lossAndGradients(named, () => languageModelLoss(network, batch));
    const { norm, scale } = clipping(gradients, 1);
    optimizer.update(gradients, 1e-3, scale);
    await loss.data();
    tf.dispose([norm, scale, gradients, loss]);
  };
  return {
    run,
    dispose: () => {
      optimizer.dispose();
      params.dispose();
    },
  };
}

const idsFor = (count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => (i * 7919) % config.vocab_size);

/** Random shapes with our pool of buffers and with TensorFlow.js's manager, which has met every shape before. */
async function contestants({ name, count, largest, prepare }: Varying): Promise<Contestants> {
  const { run, dispose } = prepare();
  const random = new Random(1);
  const shape = () =>
    largest.map((most) => 1 + Math.floor(random.next() * most)) as unknown as Shape;
  await run(largest);
  const [alone, resident] = [gpuBytes().allocated, process.memoryUsage.rss()];
  for (let i = 0; i < count; i++) await run(shape());
  const { allocated } = gpuBytes();
  console.log(
    `  ${count} ${name}: ${mebibytes(allocated)} allocated, ${(allocated / alone).toFixed(2)} times those of the largest alone; resident ${mebibytes(process.memoryUsage.rss())}, before ${mebibytes(resident)}`,
  );
  const shapes = Array.from({ length: 4 }, shape);
  const turn: Run = async () => {
    for (const each of shapes) await run(each);
  };
  const backend = tf.backend() as unknown as { bufferManager: unknown; device: GPUDevice };
  const pool = backend.bufferManager;
  const stock = new WebGPUBackend(
    backend.device,
    currentDevice()!.info,
  ) as unknown as typeof backend;
  return {
    ours: turn,
    peers: {
      'exact sizes kept': async () => {
        // Variables stay in the pool's buffers: only what a turn makes and lets go of is the other's.
        await submitted();
        backend.bufferManager = stock.bufferManager;
        await turn();
        await submitted();
        backend.bufferManager = pool;
      },
    },
    dispose,
  };
}

/** Submits what was recorded, so that every buffer that was let go of is back with its manager. */
async function submitted(): Promise<void> {
  const backend = tf.backend() as unknown as {
    commandEncoder: unknown;
    endComputePassEncoder(): void;
    submitQueue(): void;
  };
  backend.endComputePassEncoder();
  if (backend.commandEncoder) backend.submitQueue();
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export const workloads: Workload[] = varying.map((kind) => ({
  name: `varying-shapes/${kind.name}/B${kind.largest[0]}T${kind.largest[1]}`,
  backends: ['webgpu'] as const,
  prepare: () => contestants(kind),
}));
