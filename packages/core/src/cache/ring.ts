/** A window: the first tokens keep their places, the later ones take turns in as many as `size`. */
export interface Ring {
  readonly sinks: number;
  readonly size: number;
}

/** The token that lies in a place of a sequence of `end` tokens; −1 where there is none. */
export function tokenIn(place: number, end: number, ring: Ring | undefined): number {
  if (place >= end) return -1;
  if (!ring || place < ring.sinks) return place;
  return place + ring.size * Math.floor((end - 1 - place) / ring.size);
}

/** Whether a token may look at another: an earlier one or itself, in the window if there is one. */
export function sees(query: number, key: number, ring: Ring | undefined): boolean {
  const inWindow = !ring || key < ring.sinks || key > query - ring.size;
  return key >= 0 && key <= query && inWindow;
}
