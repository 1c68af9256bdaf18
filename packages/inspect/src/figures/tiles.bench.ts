import type { Workload } from '@headwise/testing';
import { viridis } from './colours.js';
import { TiledMap } from './tiles.js';

const side = 4096;

/** From a map's arrival to what a canvas of 1,024 pixels shows, against colouring the whole map. */
function contestants() {
  const values = Float32Array.from({ length: side * side }, (_, i) => ((i * 7919) % 1021) / 1021);
  const tiled = async () => {
    const map = new TiledMap({ values, rows: side, keys: side });
    const { columns, rows } = map.tilesAt(2);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) map.tile(2, { column, row });
    }
  };
  const whole = async () => {
    const rgba = new Uint8ClampedArray(4 * side * side);
    for (const [i, value] of values.entries()) rgba.set([...viridis(Math.sqrt(value)), 255], 4 * i);
  };
  return { ours: tiled, peers: { 'all pixels': whole } };
}

export const workloads: Workload[] = [
  { name: `inspect/tiles/${side}x${side}`, backends: ['js'], prepare: contestants },
];
