import { InputError, sizeOf } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../../dispatch/dispatch.js';
import { zeros } from '../../dispatch/transfer.js';
import {
  type Backward,
  paramsOf,
  type Scored,
  type Sizes,
  sizesOf,
  withTables,
} from '../passes.js';
import type { Score, Site } from '../score/score.js';
import { tableTilingFor } from '../tilings.js';
import { withScore } from '../webgpu.js';
import { type Exclusive, exclusiveIn } from './exclusive.js';

interface Arguments {
  /** `q k v`, the tables of the score, `dy rows`. */
  inputs: tf.TensorInfo[];
  backend: WebGPUBackend;
  attrs: { score: Score; table: number };
}

/** Partial sums may take this much, or as much as the queries do. */
const leastBudget = 2 ** 18;

/** @returns what each slot adds to each cell of a table, `[cells, slots]` */
export function attentionTableGradientKernel({
  inputs,
  backend,
  attrs,
}: Arguments): tf.TensorInfo[] {
  const { score, table } = attrs;
  const [q, k, v] = inputs as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
  const [dy, rows] = inputs.slice(-2) as [tf.TensorInfo, tf.TensorInfo];
  const tables = inputs.slice(3, -2);
  const sites = score.sites.filter((site) => site.table === table);
  const { shape } = tables[table]!;
  return withScore(backend, score, tables, (scored) => [
    runTableGradient(backend, { q, k, v, dy, rows }, scored, sites, sizeOf(shape)),
  ]);
}

function runTableGradient(
  backend: WebGPUBackend,
  inputs: Backward,
  scored: Scored,
  sites: readonly Site[],
  cells: number,
): tf.TensorInfo {
  const sizes = sizesOf(inputs.q, inputs.v);
  const variant = { widths: sizes.widths, score: scored.score };
  const tiling = tableTilingFor(backend, sizes);
  if (!tiling) {
    const { key, value } = sizes.widths;
    throw new InputError(
      `attention: heads of widths ${key} and ${value} leave no memory for the gradient of a table on this device`,
    );
  }
  const { program, rows, lanes } = tiling.tableGradient(variant, sites);
  const exclusive = exclusiveIn(scored.score.graph, sites, sizes);
  const budget = Math.max(leastBudget, sizeOf(inputs.q.shape));
  const plan = planOf(sizes, exclusive, { rows, lanes, slots: Math.floor(budget / cells) });
  const { outer, ...jobs } = plan;
  return dispatch(backend, program, {
    inputs: withTables(inputs, scored),
    outputs: { partial: zeros(backend, [cells, jobs.slots]) },
    params: { ...paramsOf(sizes, scored, 0, outer * jobs.workers), ...jobs },
    workgroups: spread(outer * jobs.workers),
  }).partial;
}

/**
 * What is kept apart by cells is shared among workgroups; the rest is jobs, which a few workers take in turn,
 * each with slots of its own: one, or one a lane where lanes may meet in a cell.
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
