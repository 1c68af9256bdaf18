import { InputError } from '@headwise/core';
import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../../dispatch/dispatch.js';
import { zeros } from '../../dispatch/transfer.js';
import {
  addTables,
  type Backward,
  type BoundScore,
  type Layout,
  paramsOf,
  type Sizes,
} from '../passes.js';
import type { TableLookup } from '../score/score.js';
import { tableTilingFor } from '../tilings.js';
import { type AttentionAttributes, operandsIn, withScore } from '../webgpu.js';
import { type Exclusive, exclusiveIn } from './exclusive.js';
import { slotSums } from './slot-sums.js';

interface Arguments {
  /** What `q k v` lie in, the tables of the score, `dy rows`. */
  inputs: tf.TensorInfo[];
  backend: WebGPUBackend;
  attrs: AttentionAttributes & { table: number };
}

/** Elements of partial sums that are always allowed; more, up to the size of q. */
const leastBudget = 2 ** 18;

/** @returns the gradient of a table, its elements in one axis or with an axis of one after it */
export function attentionTableGradientKernel({
  inputs,
  backend,
  attrs,
}: Arguments): tf.TensorInfo[] {
  const { score, table } = attrs;
  const { tensors, layout, others } = operandsIn(inputs, attrs);
  const [dy, rows] = others.slice(-2) as [tf.TensorInfo, tf.TensorInfo];
  const tables = others.slice(0, -2);
  const lookups = score.lookups.filter((site) => site.table === table);
  const { shape } = tables[table]!;
  return withScore(backend, score, tables, (bound) => [
    runTableGradient(backend, { ...tensors, dy, rows }, layout, bound, lookups, sizeOf(shape)),
  ]);
}

function runTableGradient(
  backend: WebGPUBackend,
  inputs: Backward,
  sizes: Layout,
  bound: BoundScore,
  lookups: readonly TableLookup[],
  cells: number,
): tf.TensorInfo {
  const variant = { widths: sizes.widths, score: bound.score };
  const tiling = tableTilingFor(backend, sizes);
  if (!tiling) {
    const { key, value } = sizes.widths;
    throw new InputError(
      `attention: heads of widths ${key} and ${value} leave no memory for the gradient of a table on this device`,
    );
  }
  const { program, rows, lanes } = tiling.tableGradient(variant, lookups);
  const exclusive = exclusiveIn(bound.score.graph, lookups, sizes);
  const { batch, heads, queries, widths } = sizes;
  const budget = Math.max(leastBudget, batch * heads * queries * widths.key);
  const plan = planOf(sizes, exclusive, { rows, lanes, slots: Math.floor(budget / cells) });
  const { outer, ...jobs } = plan;
  const { partial } = dispatch(backend, program, {
    inputs: addTables(inputs, bound),
    outputs: { partial: zeros(backend, [cells, jobs.slots]) },
    params: { ...paramsOf(sizes, bound, 0, outer * jobs.workers), ...jobs },
    workgroups: spread(outer * jobs.workers),
  });
  return jobs.slots === 1 ? partial : slotSums(backend, partial);
}

/**
 * Variables that are exclusive are spread over workgroups; the others are jobs, which a few workers take in turn, each
 * with slots of its own: one, or one per lane where two lanes may add to one element.
 */
function planOf(
  { batch, heads, queries }: Sizes,
  { b, h, q }: Exclusive,
  { rows, lanes, slots }: Record<'rows' | 'lanes' | 'slots', number>,
) {
  const tiles = Math.ceil(queries / rows);
  const [outerTiles, jobTiles] = q ? [tiles, 1] : [1, tiles];
  const [outerHeads, jobHeads] = h ? [heads, 1] : [1, heads];
  const [outerBatch, jobBatch] = b ? [batch, 1] : [1, batch];
  const jobs = jobTiles * jobHeads * jobBatch;
  const slotLanes = q ? 1 : lanes;
  const workers = Math.max(1, Math.min(jobs, Math.floor(slots / slotLanes)));
  return {
    outer: outerTiles * outerHeads * outerBatch,
    workers,
    slots: workers * slotLanes,
    slotLanes,
    jobs,
    outerTiles,
    jobTiles,
    outerHeads,
    jobHeads,
  };
}
