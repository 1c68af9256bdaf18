import { overwrite, type Recording, record, type WeightFormat } from '@headwise/kernels';
import type { Contestants, Run, Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { DecodeModel, type DecodeSizes } from './decode-model.js';

type Format = 'f32' | WeightFormat;

/** How far scores may be from those of float32, as a part of their spread. */
const tolerance: Readonly<Record<Format, number>> = { f32: 1e-5, f16: 5e-3, int8: 0.1, int4: 0.5 };

/** One token: replayed by us; eager, and replayed too, in operations of TensorFlow.js. */
async function contestants(sizes: DecodeSizes, format: Format): Promise<Contestants> {
  const model = new DecodeModel(sizes);
  const packed = format === 'f32' ? undefined : await model.pack(format);
  const fused = () => (packed ? model.fusedPacked(packed) : model.fused());
  const ours = record(fused);
  const stock = record(() => model.stock());
  const difference = await relativeDifference(ours.outputs, stock.outputs);
  if (!(difference < tolerance[format])) {
    throw new Error(`decode: ours differs from stock by ${difference} of the scores' spread`);
  }
  const script = await scriptTime(model, ours);
  console.log(
    `  decode ${format}: ${ours.dispatches} dispatches a token and ${script.toFixed(2)} ms of JavaScript, stock ${stock.dispatches}; differs by ${difference.toExponential(1)}`,
  );
  const eager = (step: () => tf.Tensor) => async () => {
    const scores = tf.tidy(step);
    await scores.data();
    scores.dispose();
  };
  return {
    ours: replayed(model, ours),
    peers: {
      'ours eager': eager(fused),
      'stock replayed': replayed(model, stock),
      stock: eager(() => model.stock()),
    },
    dispose: () => {
      ours.dispose();
      stock.dispose();
      tf.dispose(packed as unknown as tf.TensorContainer);
      model.dispose();
    },
  };
}

const replayed =
  (model: DecodeModel, recording: Recording<tf.Tensor>): Run =>
  async () => {
    overwrite(model.state, model.token);
    recording.replay();
    await recording.outputs.data();
  };

/** Median time in JavaScript to submit a token, ms; the GPU is waited for in between. */
async function scriptTime(model: DecodeModel, recording: Recording<tf.Tensor>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 31; i++) {
    const start = performance.now();
    overwrite(model.state, model.token);
    recording.replay();
    times.push(performance.now() - start);
    await recording.outputs.data();
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

/** The root-mean-square difference of scores as a part of their standard deviation. */
async function relativeDifference(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const ratio = tf.tidy(() => {
    const { variance } = tf.moments(b);
    return a.sub(b).square().mean().div(variance).sqrt();
  });
  const [value] = await ratio.data<'float32'>();
  ratio.dispose();
  return value!;
}

const sizes: Record<string, DecodeSizes> = {
  tiny: { layers: 12, dim: 96, heads: 12, vocabulary: 1024, length: 256 },
  'gpt2-small': { layers: 12, dim: 768, heads: 12, vocabulary: 50257, length: 256 },
};

export const workloads: Workload[] = Object.entries(sizes).flatMap(([name, size]) =>
  (['f32', 'f16', 'int8', 'int4'] as const).map((format) => ({
    name: `decode/${name}/${format}/L${size.layers}D${size.dim}H${size.heads}V${size.vocabulary}T${size.length}`,
    backends: ['webgpu'] as const,
    prepare: () => contestants(size, format),
  })),
);
