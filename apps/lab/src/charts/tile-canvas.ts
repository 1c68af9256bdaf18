import { desk } from '../desk.js';
import { levelFor, type Size, tileSide, tilesIn, type View } from './view.js';

/** Draws what a view shows of a map, from tiles that the desk makes when they are first seen. */
export class TileCanvas {
  readonly #canvas: HTMLCanvasElement;
  readonly #name: string;
  readonly #size: number;
  readonly #levels: number;
  readonly #tiles = new Map<string, ImageBitmap | 'asked'>();
  readonly #onWhole: () => void;
  #view: View;
  #frame = 0;
  #closed = false;

  /** @param onWhole told when every tile of the view is drawn */
  constructor(
    canvas: HTMLCanvasElement,
    map: { name: string; size: number; levels: number },
    view: View,
    onWhole: () => void,
  ) {
    this.#canvas = canvas;
    this.#name = map.name;
    this.#size = map.size;
    this.#levels = map.levels;
    this.#view = view;
    this.#onWhole = onWhole;
    this.show(view);
  }

  show(view: View): void {
    this.#view = view;
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  close(): void {
    this.#closed = true;
    cancelAnimationFrame(this.#frame);
    for (const tile of this.#tiles.values()) if (tile !== 'asked') tile.close();
    this.#tiles.clear();
  }

  #draw(): void {
    this.#frame = 0;
    this.#count('draws');
    const drawing = this.#canvas.getContext('2d')!;
    const ratio = window.devicePixelRatio;
    const area: Size = { width: this.#canvas.width / ratio, height: this.#canvas.height / ratio };
    drawing.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawing.clearRect(0, 0, area.width, area.height);
    drawing.imageSmoothingEnabled = false;
    const level = levelFor(this.#view, this.#levels);
    // What is coarser is there first, and shows until what is finer has come.
    if (level < this.#levels - 1) this.#drawLevel(drawing, this.#levels - 1, area);
    if (this.#drawLevel(drawing, level, area)) this.#onWhole();
  }

  /** Draws the tiles that are there, and asks for those that are not; tells whether none was missing. */
  #drawLevel(drawing: CanvasRenderingContext2D, level: number, area: Size): boolean {
    const { x, y, scale } = this.#view;
    let whole = true;
    for (const { column, row } of tilesIn(this.#view, level, this.#size, area)) {
      const tile = this.#tile(level, column, row);
      if (tile === 'asked') {
        whole = false;
        continue;
      }
      const values = 2 ** level;
      drawing.drawImage(
        tile,
        (column * tileSide * values - x) * scale,
        (row * tileSide * values - y) * scale,
        tile.width * values * scale,
        tile.height * values * scale,
      );
    }
    return whole;
  }

  /** Counts what was done, for tests. */
  #count(what: 'draws' | 'tiles'): void {
    const { dataset } = this.#canvas;
    dataset[what] = String(Number(dataset[what] ?? 0) + 1);
  }

  #tile(level: number, column: number, row: number): ImageBitmap | 'asked' {
    const key = `${level}/${column}/${row}`;
    const known = this.#tiles.get(key);
    if (known) return known;
    this.#tiles.set(key, 'asked');
    void desk.call('tile', [this.#name, level, column, row]).then(async (found) => {
      if (!found) return;
      this.#count('tiles');
      const { rgba, width, height } = found;
      const bitmap = await createImageBitmap(new ImageData(rgba, width, height));
      if (this.#closed) {
        bitmap.close();
        return;
      }
      this.#tiles.set(key, bitmap);
      this.show(this.#view);
    });
    return 'asked';
  }
}
