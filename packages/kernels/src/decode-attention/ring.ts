/** A window over the tokens of a sequence: the first `sinks` keep their places, the later ones take turns in `size` places. */
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
