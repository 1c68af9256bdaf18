import { overwrite, record } from '@headwise/kernels';
import type { Contestants, Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { DecodeModel, type DecodeSizes } from './decode-model.js';

/** Replayed by us; eager, and replayed too, in operations of TensorFlow.js. */
async function contestants(sizes: DecodeSizes): Promise<Contestants> {
  const model = new DecodeModel(sizes);
  const ours = record(() => model.fused());
  const stock = record(() => model.stock());
  const difference = tf.tidy(() => ours.outputs.sub(stock.outputs).abs().max());
  const [worst] = await difference.data<'float32'>();
  difference.dispose();
  if (worst === undefined || !(worst < 1e-4))
    throw new Error(`decode: ours differs from stock by ${worst}`);
  console.log(
    `  decode: ${ours.dispatches} dispatches a token, stock ${stock.dispatches}; scores differ by ${worst.toExponential(1)}`,
  );
  const token = Int32Array.of(464);
  const replay = (recording: typeof ours) => async () => {
    overwrite(model.id, token);
    recording.replay();
    await recording.outputs.data();
  };
  return {
    ours: replay(ours),
    peers: {
      'ours eager': async () => {
        const scores = model.fused();
        await scores.data();
        scores.dispose();
      },
      'stock replayed': replay(stock),
      stock: async () => {
        const scores = tf.tidy(() => model.stock());
        await scores.data();
        scores.dispose();
      },
    },
    dispose: () => {
      ours.dispose();
      stock.dispose();
      model.dispose();
    },
  };
}

const sizes: Record<string, DecodeSizes> = {
  tiny: { layers: 12, dim: 96, heads: 12, vocabulary: 1024, length: 256 },
  'gpt2-small': { layers: 12, dim: 768, heads: 12, vocabulary: 50257, length: 256 },
};

export const workloads: Workload[] = Object.entries(sizes).map(([name, size]) => ({
  name: `decode/${name}/L${size.layers}D${size.dim}H${size.heads}V${size.vocabulary}T${size.length}`,
  backends: ['webgpu'],
  prepare: () => contestants(size),
}));
