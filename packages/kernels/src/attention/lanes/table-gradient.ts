import {
  backwardInputs,
  defineScored,
  type TableGradientProgram,
  type Tiled,
  type Variant,
} from '../programs.js';
import type { Pairs } from '../score/pairs.js';
import type { TableLookup } from '../score/score.js';
import { each } from '../text.js';
import type { LaneBroadcast } from './broadcast.js';
import { type LaneRows, part, vectorTypes } from './lane-rows.js';
import { queryPass } from './query-pass.js';

/**
 * `dT[e] += dS · ∂s/∂T[e]`: each lane holds queries and adds to elements of the table without atomics.
 *
 * Where two lanes may add to one element, each has a slot of its own in `partial`, `[elements, slots]`.
 */
export function lanesTableGradient(
  variant: Variant,
  broadcast: LaneBroadcast,
  o: LaneRows,
  keys: number,
  lookups: readonly TableLookup[],
): Tiled<TableGradientProgram> {
  const { lanes } = broadcast;
  const rows = lanes * o.rows;
  const wanted = lookups.flatMap(({ element, derivative }) => [element, derivative]);
  const { tile, arrays, load, overKeys } = queryPass(variant, broadcast, o, keys, wanted);
  const { pairs } = tile;
  const add = (element: string, r: number, change: string) =>
    `partial[u32(${part(o, element, r)}) * params.slots + slot] += ${part(o, change, r)};`;
  const inside = (r: number) => `${part(o, 'lane_row', r)} < params.queries`;
  // One element for all keys of a query: its gradient is summed in a register first.
  const perQuery = lookups.flatMap(({ element }, n) =>
    pairs.variesInTile(element) ? [] : { element, n },
  );

  const addPair = (pairs: Pairs) =>
    each(lookups.length, (n) => {
      const { element, derivative } = lookups[n]!;
      // A masked pair adds nothing, even where its derivative is not finite.
      const change = `let change${n} = select(ds0 * ${pairs.of(derivative, 0)}, Rows(), ds0 == Rows());`;
      if (!pairs.variesInTile(element)) return `${change} sum${n} += change${n};`;
      const added = (r: number) =>
        `if ((${inside(r)}) & (${part(o, 'ds0', r)} != 0.0)) { ${add(`element${n}`, r, `change${n}`)} }`;
      return `${change} let element${n} = ${pairs.of(element, 0)}; ${each(o.rows, added)}`;
    });
  const program = defineScored<keyof typeof backwardInputs | 'tables', 'partial'>(
    'headwise/AttentionTableGradient',
    variant,
    { enable: broadcast.enable, types: vectorTypes(o) },
    backwardInputs,
    { partial: 'f32' },
    /* wgsl */ `
    ${arrays}
    @compute @workgroup_size(${lanes})
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let id = tile_of(workgroup, count);
      if (id >= params.tilesOfAll) { return; }
      let worker = id % params.workers;
      let outer = id / params.workers;
      let slot = worker * params.slotLanes + lane % params.slotLanes;
      for (var job = worker; job < params.jobs; job += params.workers) {
        // Tile, head and batch row are each counted by workgroups (outer) or by jobs.
        let tile = outer % params.outerTiles + job % params.jobTiles;
        let outer_head = outer / params.outerTiles;
        let job_head = job / params.jobTiles;
        let head = (outer_head / params.outerHeads + job_head / params.jobHeads) * params.heads
          + outer_head % params.outerHeads + job_head % params.jobHeads;
        let first = tile * ${rows}u;
        ${load}
        ${perQuery.map(({ n }) => `var sum${n} = Rows();`).join('\n')}
        ${overKeys(tile.oneByOne(addPair))}
        ${perQuery
          .map(({ element, n }) => {
            const added = (r: number) =>
              `if (${inside(r)}) { ${add(`element${n}`, r, `sum${n}`)} }`;
            return `let element${n} = ${pairs.of(element)}; ${each(o.rows, added)}`;
          })
          .join('\n')}
      }
    }
  `,
    jobParams,
  );
  return { program, rows };
}

const jobParams = {
  workers: 'u32',
  slots: 'u32',
  slotLanes: 'u32',
  jobs: 'u32',
  outerTiles: 'u32',
  jobTiles: 'u32',
  outerHeads: 'u32',
  jobHeads: 'u32',
} as const;
