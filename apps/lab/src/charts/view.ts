/** The side of a tile in pixels, as the desk cuts them. */
export const tileSide = 256;

/** What of a square map is seen: its top left corner, and how many screen pixels a value takes. */
export interface View {
  x: number;
  y: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

/** The view of a whole map. */
export function fit(size: number, { width, height }: Size): View {
  return bounded({ x: 0, y: 0, scale: Math.min(width, height) / size }, size, { width, height });
}

/** A view that does not lose the map: no farther than all of it, no nearer than 40 pixels a value. */
export function bounded({ x, y, scale }: View, size: number, { width, height }: Size): View {
  const least = Math.min(width, height) / size;
  const kept = Math.min(40, Math.max(least, scale));
  const inside = (start: number, length: number) => {
    const seen = length / kept;
    return seen >= size ? (size - seen) / 2 : Math.min(size - seen, Math.max(0, start));
  };
  return { x: inside(x, width), y: inside(y, height), scale: kept };
}

/** A view nearer or farther by a factor, with the value under a point staying there. */
export function zoomed(
  view: View,
  factor: number,
  at: { x: number; y: number },
  size: number,
  area: Size,
): View {
  const { scale } = bounded({ ...view, scale: view.scale * factor }, size, area);
  const x = view.x + at.x / view.scale - at.x / scale;
  const y = view.y + at.y / view.scale - at.y / scale;
  return bounded({ x, y, scale }, size, area);
}

/** The level whose pixels are nearest to those of the screen: level n has `2ⁿ` values a pixel. */
export function levelFor({ scale }: View, levels: number): number {
  return Math.max(0, Math.min(levels - 1, Math.floor(Math.log2(1 / scale))));
}

/** The tiles of a level that a view shows. */
export function tilesIn(
  view: View,
  level: number,
  size: number,
  { width, height }: Size,
): { column: number; row: number }[] {
  const values = tileSide * 2 ** level;
  const last = Math.ceil(size / values) - 1;
  const from = (start: number) => Math.max(0, Math.floor(start / values));
  const to = (end: number) => Math.min(last, Math.floor(end / values));
  const tiles: { column: number; row: number }[] = [];
  for (let row = from(view.y); row <= to(view.y + height / view.scale); row++) {
    for (let column = from(view.x); column <= to(view.x + width / view.scale); column++) {
      tiles.push({ column, row });
    }
  }
  return tiles;
}
