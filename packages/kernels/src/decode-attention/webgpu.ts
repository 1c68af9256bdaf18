import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type HeadsPlace, headsShape, stridesOf } from '../attention/heads.js';
import type { PairFunctions } from '../attention/score/functions.js';
import { graphValues } from '../attention/score/graph.js';
import { withTables } from '../attention/score/tables.js';
import { strideValues } from '../attention/strides.js';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { elementWorkgroups } from '../dispatch/per-element.js';
import { tableParams } from '../rotary/load.js';
import type { RotaryLayout } from '../rotary/tables.js';
import { joinProgram } from './join.js';
import type { Ring } from './ring.js';
import { rowForm } from './row-form.js';
import { splitProgram } from './split.js';

/** Queries up to this many run fused here. */
export const mostQueries = 8;

/** Keys of one workgroup: few enough that a short cache fills a GPU. */
const keysPerSplit = 64;
/** Parts beyond this many would make the second pass long. */
const mostSplits = 64;

interface KernelArguments {
  inputs: Record<'q' | 'k' | 'v', tf.TensorInfo> & {
    places?: tf.TensorInfo | undefined;
    /** `[Tq, R/2]` or `[B, Tq, R/2]`, where queries are to be turned. */
    cos?: tf.TensorInfo | undefined;
    sin?: tf.TensorInfo | undefined;
    /** `[H]`: a score of each head that has no value. */
    sinks?: tf.TensorInfo | undefined;
  } & { readonly [table: `table${number}`]: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: {
    length: number;
    pairs: PairFunctions;
    ring?: Ring | undefined;
    layout?: RotaryLayout | undefined;
    /** Which heads of `q` are meant. */
    heads: HeadsPlace;
  };
}

/** @returns the output, `[B, H, Tq, Dh]`, in the order of q's axes */
export function decodeAttentionKernel({
  inputs,
  backend,
  attrs,
}: KernelArguments): tf.TensorInfo[] {
  const { q, k, v, places, cos, sin, sinks } = inputs;
  const { length, pairs, ring, layout, heads: ofQ } = attrs;
  const [batch, heads, queries, width] = headsShape(q.shape, ofQ);
  const [, kvHeads, capacity] = k.shape as [number, number, number];
  const form = rowForm(k.dtype === 'int32', width);
  const held = Math.min(length, capacity);
  const steps = Math.ceil(held / keysPerSplit);
  const perSplit = keysPerSplit * Math.ceil(steps / mostSplits);
  const splits = Math.ceil(held / perSplit);
  // The rows that share a head of keys: its query heads, each with all queries.
  const rows = (heads / kvHeads) * queries;
  const perWorkgroup = rows === 1 ? 1 : 4;
  const quads = Math.ceil(rows / perWorkgroup);
  const tasks = batch * kvHeads * quads * splits;
  const { graph } = pairs;
  const program = splitProgram({
    rows: perWorkgroup,
    placed: places !== undefined,
    form,
    layout,
    ring: ring !== undefined,
    pairs,
  });
  const tables = graph.tables.map((_, n) => inputs[`table${n}`]!);
  const { parts } = withTables(backend, graph, tables, ({ buffer, starts }) =>
    dispatch(backend, program, {
      inputs: { q, k, v, places, cos, sin, tables: buffer } as Record<
        'q' | 'k' | 'v',
        tf.TensorInfo
      >,
      outputs: { parts: { shape: [batch, heads, queries, splits, width + 2], dtype: 'float32' } },
      params: {
        tasks,
        splits,
        perSplit,
        quads,
        rows,
        queries,
        capacity,
        width,
        stored: Math.ceil(width / form.pack),
        kvHeads,
        length,
        sinks: ring?.sinks ?? 0,
        ring: ring?.size ?? capacity,
        ...tableParams(cos, queries),
        ...strideValues('q', stridesOf(q.shape, ofQ)),
        ...graphValues(graph),
        ...starts,
      },
      workgroups: spread(tasks),
    }),
  );
  const size = batch * heads * queries * width;
  const ofY: HeadsPlace =
    ofQ.order === 'heads-first' ? ofQ : { order: ofQ.order, first: 0, count: heads };
  const shape =
    ofQ.order === 'heads-first' ? [batch, heads, queries, width] : [batch, queries, heads, width];
  const { y } = dispatch(backend, joinProgram(sinks !== undefined), {
    inputs: { parts, ...(sinks ? { sinks } : {}) } as Record<'parts', tf.TensorInfo>,
    outputs: { y: { shape, dtype: 'float32' } },
    params: {
      ...{ size, width, splits, queries, heads },
      ...strideValues('y', stridesOf(shape, ofY)),
    },
    workgroups: elementWorkgroups(size),
  });
  backend.disposeData(parts.dataId);
  return [y];
}
