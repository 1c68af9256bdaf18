import { MultiHeadAttention, masks } from '@headwise/attention';
import { ParamStore } from '@headwise/core';
import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { capture } from './capture.js';

const [dim, heads] = [256, 4];

/** One row of one head while a layer runs, against the whole map, and against no question at all. */
function contestants(length: number) {
  const params = new ParamStore({ seed: 1 });
  const layer = new MultiHeadAttention(params.at('attn'), { dim, heads, mask: masks.causal });
  const x = gaussian([1, length, dim], 1);
  const name = 'attn.pattern';
  const part = { heads: [1], rows: [length - 1] };
  const asked = () => {
    const captured = capture(layer, x, name, { part });
    return [captured.output, captured.get(name)];
  };
  const whole = () => {
    let map: tf.Tensor | undefined;
    const tap = (path: string, value: tf.Tensor) => {
      if (path === name) map = tf.keep(value.clone());
    };
    return [layer.forward(x, { tap }), map!];
  };
  return {
    ours: asked,
    peers: { 'whole map': whole, 'no map': () => layer.forward(x) },
    dispose: () => {
      x.dispose();
      params.dispose();
    },
  };
}

export const workloads: Workload[] = [256, 1024].map((length) => ({
  name: `inspect/one-row/B1H${heads}T${length}D${dim / heads}`,
  backends: ['webgpu', 'wasm'],
  prepare: () => contestants(length),
}));
