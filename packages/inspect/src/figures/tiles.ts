import { InputError } from '@headwise/core';
import { viridis } from './colours.js';
import { type Grid, pooledBy } from './pool.js';

/** The side of a tile, in values and pixels. */
export const tileSide = 256;

/** A square part of a map as a canvas takes it. */
export interface Tile {
  readonly width: number;
  readonly height: number;
  /** Row-major, four bytes a pixel: red, green, blue, opacity. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** The colours of 1,024 values evenly spread over [0, 1], four bytes each. */
const ramp: Uint32Array = rampOf(1024);

/**
 * A map too big for one picture, as tiles at every zoom: a pixel of level `n` is the largest of `2ⁿ × 2ⁿ` values.
 *
 * A level is computed when a tile of it is first asked for.
 *
 * @example
 * const map = new TiledMap({ values, rows: 4096, keys: 4096 });
 * const { rgba, width, height } = map.tile(0, { column: 3, row: 15 });
 * context.putImageData(new ImageData(rgba, width, height), x, y);
 */
export class TiledMap {
  readonly #levels: Grid[];
  readonly #scale: (value: number) => number;

  /**
   * @param grid the values, in [0, 1]
   * @param scale of values to colours, in [0, 1]; default `√`, which shows small attention weights
   * @throws InputError where the number of values is not that of the grid
   */
  constructor(grid: Grid, scale: (value: number) => number = Math.sqrt) {
    const { values, rows, keys } = grid;
    if (!(rows > 0 && keys > 0 && values.length === rows * keys)) {
      throw new InputError(
        `TiledMap: ${values.length} values; expected ${rows} rows of ${keys}, at least one`,
      );
    }
    this.#levels = [grid];
    this.#scale = scale;
  }

  /** The number of levels; at the last, one tile holds the whole map. */
  get levels(): number {
    const { rows, keys } = this.#levels[0]!;
    return 1 + Math.max(0, Math.ceil(Math.log2(Math.max(rows, keys) / tileSide)));
  }

  /** The number of columns and rows of tiles at a level. */
  tilesAt(level: number): { columns: number; rows: number } {
    const { rows, keys } = this.#level(level);
    return { columns: Math.ceil(keys / tileSide), rows: Math.ceil(rows / tileSide) };
  }

  /** @throws InputError for a level or tile that does not exist */
  tile(level: number, { column, row }: { column: number; row: number }): Tile {
    const { values, rows, keys } = this.#level(level);
    const [left, top] = [column * tileSide, row * tileSide];
    if (!(left >= 0 && left < keys && top >= 0 && top < rows)) {
      const { columns, rows } = this.tilesAt(level);
      throw new InputError(
        `TiledMap: tile ${column}, ${row} does not exist at level ${level}, which has ${columns} by ${rows}`,
      );
    }
    const [width, height] = [Math.min(tileSide, keys - left), Math.min(tileSide, rows - top)];
    const pixels = new Uint32Array(width * height);
    for (let y = 0; y < height; y++) {
      const from = (top + y) * keys + left;
      for (let x = 0; x < width; x++) {
        const shade = this.#scale(values[from + x]!) * (ramp.length - 1) + 0.5;
        // A value beyond [0, 1], or none at all, gets the colour of an end.
        pixels[y * width + x] =
          ramp[shade >= ramp.length ? ramp.length - 1 : shade | 0] ?? ramp[0]!;
      }
    }
    return { width, height, rgba: new Uint8ClampedArray(pixels.buffer) };
  }

  /** The value of a query and a key. */
  at(row: number, key: number): number | undefined {
    const { values, rows, keys } = this.#levels[0]!;
    return row >= 0 && row < rows && key >= 0 && key < keys ? values[row * keys + key] : undefined;
  }

  #level(level: number): Grid {
    if (!(Number.isInteger(level) && level >= 0 && level < this.levels)) {
      throw new InputError(
        `TiledMap: level ${level} does not exist; expected 0 to ${this.levels - 1}`,
      );
    }
    for (let made = this.#levels.length; made <= level; made++) {
      this.#levels.push(pooledBy(this.#levels[made - 1]!, 2));
    }
    return this.#levels[level]!;
  }
}

function rampOf(length: number): Uint32Array {
  const bytes = Uint8Array.from({ length: 4 * length }, (_, i) =>
    i % 4 === 3 ? 255 : viridis(Math.floor(i / 4) / (length - 1))[i % 4]!,
  );
  return new Uint32Array(bytes.buffer);
}
