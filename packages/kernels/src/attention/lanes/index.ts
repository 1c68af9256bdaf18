import { variants } from '../../dispatch/program.js';
import type { Tiling, Variant } from '../programs.js';
import { lanesKeyGradient, lanesQueryGradient } from './backward.js';
import { type Broadcast, directBroadcast, shuffleBroadcast } from './broadcast.js';
import { lanesForward } from './forward.js';

const variantKey = ({ width, score, padded }: Variant) => `${width}/${score.key}/${padded}`;

function lanesTiling(
  key: string,
  broadcastOf: (width: number) => Broadcast,
  tile: { forward: number; backward: number },
): Tiling {
  return {
    key,
    forward: variants(variantKey, (v: Variant) =>
      lanesForward(v, broadcastOf(v.width), tile.forward),
    ),
    queryGradient: variants(variantKey, (v: Variant) =>
      lanesQueryGradient(v, broadcastOf(v.width), tile.backward),
    ),
    keyGradient: variants(variantKey, (v: Variant) =>
      lanesKeyGradient(v, broadcastOf(v.width), tile.backward),
    ),
  };
}

/** Lanes that own rows and read all else from storage themselves: needs nothing of the device. */
export const direct: Tiling = lanesTiling('direct', (width) => directBroadcast(width, 16), {
  forward: 4,
  backward: 4,
});

const shuffles = variants(String, (subgroup: number) =>
  lanesTiling(`shuffle${subgroup}`, (width) => shuffleBroadcast(width, subgroup), {
    forward: 16,
    backward: 8,
  }),
);

/** Lanes that own rows and hand each other what they read; for devices whose subgroups have one size. */
export const shuffle = (subgroup: number): Tiling => shuffles(subgroup);
