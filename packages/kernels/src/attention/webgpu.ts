import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Output } from '../dispatch/dispatch.js';
import type { Wanted } from '../dispatch/register.js';
import { zeros } from '../dispatch/transfer.js';
import type { HeadsPlace, Operand } from './heads.js';
import {
  type BoundScore,
  type Layout,
  layoutOf,
  runForward,
  runKeyGradient,
  runQueryGradient,
  runRows,
} from './passes.js';
import type { Score } from './score/score.js';
import { withTables } from './score/tables.js';
import { tilingFor } from './tilings.js';

/** What the kernels of attention are told. */
export interface AttentionAttributes {
  score: Score;
  /** Where q, k and v lie in the first inputs. */
  operands: readonly [q: Operand, k: Operand, v: Operand];
  /** How the output lies. */
  output: 'heads-first' | 'tokens-first';
}

interface Arguments {
  /** The tensors that `q k v` lie in, the tables of the score, and in the backward `y stats dy`. */
  inputs: tf.TensorInfo[];
  backend: WebGPUBackend;
  attrs: AttentionAttributes;
}

/** @returns the output, `[B, H, Tq, Dv]` or `[B, Tq, H, Dv]`, and the softmax statistics of each query, `[B, H, Tq, 2]` */
export function attentionKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { tensors, layout, others } = operandsIn(inputs, attrs);
  const tiling = tilingFor(backend, 'forward', layout);
  return withScore(backend, attrs.score, others, (bound) => {
    const { y, stats } = runForward(backend, tiling, tensors, layout, bound);
    return [y, stats];
  });
}

/**
 * @returns what is wanted of the gradients of the tensors that q, k and v lie in, named by their indices, and of `rows`, the statistics
 * of each query, `[B, H, Tq, 4]`, which the gradients of tables read
 */
export function attentionGradientKernel({
  inputs,
  backend,
  attrs,
}: Arguments & { attrs: Wanted<string> }): tf.TensorInfo[] {
  const { tensors, layout, others } = operandsIn(inputs, attrs);
  const [y, stats, dy] = others.slice(-3) as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
  return withScore(backend, attrs.score, others.slice(0, -3), (bound) => {
    const made: tf.TensorInfo[] = [];
    const [ofQ, ofK, ofV] = attrs.operands.map(({ input }) => input) as [number, number, number];
    const isWanted = (input: number) => attrs.wanted.includes(String(input));
    const output = (input: number) => made[input] ?? gradientOf(backend, inputs, attrs, input);
    const { dq, rows } = isWanted(ofQ)
      ? runQueryGradient(
          backend,
          tilingFor(backend, 'queryGradient', layout),
          { ...tensors, dy, y, stats },
          layout,
          bound,
          output(ofQ),
        )
      : { dq: undefined, rows: runRows(backend, { y, dy, stats }, layout) };
    if (dq) made[ofQ] = dq;
    if (isWanted(ofK) || isWanted(ofV)) {
      const tiling = tilingFor(backend, 'keyGradient', layout);
      const { dk, dv, dkv } = runKeyGradient(
        backend,
        tiling,
        { ...tensors, dy, rows },
        layout,
        bound,
        ofK === ofV ? { dkv: output(ofK) } : { dk: output(ofK), dv: output(ofV) },
      );
      made[ofK] = dkv ?? dk;
      made[ofV] = dkv ?? dv;
    }
    // The pass of keys gives both of its gradients.
    for (const input of new Set([ofK, ofV])) {
      if (made[input] && !isWanted(input)) backend.disposeData(made[input].dataId);
    }
    if (!attrs.wanted.includes('rows')) backend.disposeData(rows.dataId);
    return attrs.wanted.map((name) => (name === 'rows' ? rows : made[Number(name)]!));
  });
}

/** The number of tensors that q, k and v lie in. */
export const operandInputs = ({ operands }: AttentionAttributes): number =>
  1 + Math.max(...operands.map(({ input }) => input));

/** What the gradient of an input is written to: zeros where not all of its heads take part. */
function gradientOf(
  backend: WebGPUBackend,
  inputs: readonly tf.TensorInfo[],
  attributes: AttentionAttributes,
  input: number,
): Output {
  const { shape } = inputs[input]!;
  return takesPart(attributes, input, shape) ? { shape, dtype: 'float32' } : zeros(backend, shape);
}

/** Whether all heads of an input of this shape take part. */
export function takesPart(
  { operands }: AttentionAttributes,
  input: number,
  shape: readonly number[],
): boolean {
  const mine = operands.filter((operand) => operand.input === input);
  const covered = mine.reduce(
    (sum, place) => sum + (place.order === 'heads-first' ? shape[1]! : place.count),
    0,
  );
  const all = mine[0]!.order === 'heads-first' ? shape[1]! : shape[2]!;
  return covered === all;
}

/** The operands among a kernel's inputs, and how they lie; `others` are the inputs behind them. */
export function operandsIn(
  inputs: readonly tf.TensorInfo[],
  attributes: AttentionAttributes,
): {
  tensors: Record<'q' | 'k' | 'v', tf.TensorInfo>;
  layout: Layout;
  others: tf.TensorInfo[];
} {
  const { operands, output } = attributes;
  const [q, k, v] = operands.map(({ input }) => inputs[input]!) as [
    tf.TensorInfo,
    tf.TensorInfo,
    tf.TensorInfo,
  ];
  const [ofQ, ofK, ofV] = operands;
  const count = ofQ.order === 'heads-first' ? q.shape[1]! : ofQ.count;
  const ofY: HeadsPlace =
    output === 'heads-first' ? { order: output } : { order: output, first: 0, count };
  return {
    tensors: { q, k, v },
    layout: layoutOf({ q: q.shape, k: k.shape, v: v.shape }, { q: ofQ, k: ofK, v: ofV, y: ofY }),
    others: inputs.slice(operandInputs(attributes)),
  };
}

/** Runs with a score's tables bound. */
export function withScore<T>(
  backend: WebGPUBackend,
  score: Score,
  tensors: readonly tf.TensorInfo[],
  run: (bound: BoundScore) => T,
): T {
  return withTables(backend, score.graph, tensors, ({ buffer, starts }) =>
    run({ score, tables: buffer, starts }),
  );
}
