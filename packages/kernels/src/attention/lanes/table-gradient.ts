import {
  backwardInputs,
  defineScored,
  type TableGradientProgram,
  type Tiled,
  type Variant,
} from '../programs.js';
import type { Pairs } from '../score/pairs.js';
import type { Site } from '../score/score.js';
import { each } from '../text.js';
import type { Broadcast } from './broadcast.js';
import { type Owned, part, vectorTypes } from './owned.js';
import { queriesOf } from './queries.js';

/**
 * `dT[place] += dS · ∂s/∂T[place]`: each lane owns queries and adds to cells that nobody else adds to.
 *
 * Where lanes may meet in one cell of the table, each has a slot of its own in `partial`, `[cells, slots]`.
 */
export function lanesTableGradient(
  variant: Variant,
  broadcast: Broadcast,
  o: Owned,
  keys: number,
  sites: readonly Site[],
): Tiled<TableGradientProgram> {
  const { lanes } = broadcast;
  const rows = lanes * o.rows;
  const wanted = sites.flatMap(({ place, factor }) => [place, factor]);
  const { tile, arrays, begin, meet } = queriesOf(variant, broadcast, o, keys, wanted);
  const { pairs } = tile;
  const add = (place: string, r: number, change: string) =>
    `partial[u32(${part(o, place, r)}) * params.slots + slot] += ${part(o, change, r)};`;
  const inside = (r: number) => `${part(o, 'own_row', r)} < params.queries`;
  // One place a query: what it gets is added up before.
  const ofQuery = sites.flatMap(({ place }, n) => (pairs.ofOthers(place) ? [] : { place, n }));

  const addPair = (pairs: Pairs) =>
    each(sites.length, (n) => {
      const { place, factor } = sites[n]!;
      // What is hidden takes no part, whatever its factor and its place.
      const change = `let change${n} = select(ds0 * ${pairs.of(factor, 0)}, Rows(), ds0 == Rows());`;
      if (!pairs.ofOthers(place)) return `${change} sum${n} += change${n};`;
      const added = (r: number) =>
        `if ((${inside(r)}) & (${part(o, 'ds0', r)} != 0.0)) { ${add(`place${n}`, r, `change${n}`)} }`;
      return `${change} let place${n} = ${pairs.of(place, 0)}; ${each(o.rows, added)}`;
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
        // Of tile, head and batch row, each is counted by workgroups or by jobs.
        let tile = outer % params.outerTiles + job % params.jobTiles;
        let outer_head = outer / params.outerTiles;
        let job_head = job / params.jobTiles;
        let head = (outer_head / params.outerHeads + job_head / params.jobHeads) * params.heads
          + outer_head % params.outerHeads + job_head % params.jobHeads;
        let first = tile * ${rows}u;
        ${begin}
        ${ofQuery.map(({ n }) => `var sum${n} = Rows();`).join('\n')}
        ${meet(tile.oneByOne(addPair))}
        ${ofQuery
          .map(({ place, n }) => {
            const added = (r: number) => `if (${inside(r)}) { ${add(`place${n}`, r, `sum${n}`)} }`;
            return `let place${n} = ${pairs.of(place)}; ${each(o.rows, added)}`;
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
