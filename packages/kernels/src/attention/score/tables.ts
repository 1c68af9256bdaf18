import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../../dispatch/dispatch.js';
import { defineProgram } from '../../dispatch/program.js';
import { copyValues } from '../../dispatch/transfer.js';
import type { Graph } from './graph.js';
import { rangePlaces } from './ranges.js';

/** The tables that a score reads, in one buffer. */
export interface Tables {
  /** Undefined where the graph reads none. */
  buffer: tf.TensorInfo | undefined;
  /** `params.table0` …: the offset of each table in the buffer. */
  starts: Record<string, number>;
}

/** Binds a graph's tables, runs, and frees what binding them made: one table as it is, several in one buffer. */
export function withTables<T>(
  backend: WebGPUBackend,
  graph: Graph,
  tensors: readonly tf.TensorInfo[],
  run: (tables: Tables) => T,
): T {
  const made: tf.TensorInfo[] = [];
  const parts = graph.tables.map((table, i) => {
    if (table.rangesOf === undefined) return tensors[i]!;
    const ranges = rangesOfTable(backend, tensors[table.rangesOf]!);
    made.push(ranges);
    return ranges;
  });
  const starts: Record<string, number> = {};
  let size = 0;
  for (const [i, { shape }] of parts.entries()) {
    starts[`table${i}`] = size;
    size += sizeOf(shape);
  }
  let buffer: tf.TensorInfo | undefined = parts[0];
  if (parts.length > 1) {
    const target = backend.makeTensorInfo([size], 'float32');
    copyValues(
      backend,
      parts.map((source, i) => ({
        source,
        sourceStart: 0,
        target,
        targetStart: starts[`table${i}`]!,
        size: sizeOf(source.shape),
      })),
    );
    made.push(target);
    buffer = target;
  }
  try {
    return run({ buffer, starts });
  } finally {
    for (const { dataId } of made) backend.disposeData(dataId);
  }
}

/** The tensors of a graph's tables, without the computed range tables, which follow them. */
export const sourcesOf = ({ tables }: Graph): tf.Tensor[] =>
  tables.flatMap(({ tensor, rangesOf }) => (rangesOf === undefined ? tensor : []));

const rangesProgram = defineProgram({
  label: 'headwise/AttentionTableRanges',
  inputs: { table: 'u32' },
  outputs: { ranges: 'i32' },
  params: { parts: 'u32', partsOfRow: 'u32', size: 'u32' },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let part = (workgroup.y * count.x + workgroup.x) * 64u + lane;
      if (part >= params.parts) { return; }
      let row = part / params.partsOfRow * params.size;
      let first = part % params.partsOfRow * ${rangePlaces}u;
      var least = bitcast<i32>(table[row + first]);
      var most = least;
      for (var i = first + 1u; i < min(first + ${rangePlaces}u, params.size); i++) {
        let value = bitcast<i32>(table[row + i]);
        least = min(least, value);
        most = max(most, value);
      }
      ranges[2u * part] = least;
      ranges[2u * part + 1u] = most;
    }
  `,
});

/** Minimum and maximum of each 32 neighbours on the last axis, `[…, ⌈n / 32⌉, 2]`. */
function rangesOfTable(backend: WebGPUBackend, table: tf.TensorInfo): tf.TensorInfo {
  const size = table.shape.at(-1)!;
  const partsOfRow = Math.ceil(size / rangePlaces);
  const shape = [...table.shape.slice(0, -1), partsOfRow, 2];
  const parts = sizeOf(shape) / 2;
  return dispatch(backend, rangesProgram, {
    inputs: { table },
    outputs: { ranges: { shape, dtype: 'int32' } },
    params: { parts, partsOfRow, size },
    workgroups: spread(Math.ceil(parts / 64)),
  }).ranges;
}
