/** Values over a common axis, as points in order. */
export interface Series {
  x: readonly number[];
  y: readonly number[];
}

/** An exponential mean that gives early values their full weight, value by value. */
export class Smoother {
  readonly #strength: number;
  #mean = 0;
  #weight = 0;

  /** @param strength from 0, nothing, to below 1 */
  constructor(strength: number) {
    this.#strength = Math.max(0, strength);
  }

  next(value: number): number {
    if (!Number.isFinite(value) || this.#strength === 0) return value;
    this.#mean = this.#strength * this.#mean + (1 - this.#strength) * value;
    this.#weight = this.#strength * this.#weight + (1 - this.#strength);
    return this.#mean / this.#weight;
  }
}

/** An incremental smoothed series that reads each entry once. */
export class GrowingSeries<T> {
  readonly #x: number[] = [];
  readonly #y: number[] = [];
  readonly #smoother: Smoother;
  readonly #place: (entry: T) => number;
  readonly #value: (entry: T) => number;

  constructor(place: (entry: T) => number, value: (entry: T) => number, strength: number) {
    this.#place = place;
    this.#value = value;
    this.#smoother = new Smoother(strength);
  }

  /** The series of all entries; values computed before stay unchanged. */
  upTo(entries: readonly T[]): Series {
    for (let i = this.#x.length; i < entries.length; i++) {
      const entry = entries[i]!;
      this.#x.push(this.#place(entry));
      this.#y.push(this.#smoother.next(this.#value(entry)));
    }
    return { x: this.#x, y: this.#y };
  }
}

/** At most about `most` points: of each stretch the least and the greatest, so that no spike is lost. */
export function thin({ x, y }: Series, most: number): Series {
  if (x.length <= most) return { x, y };
  const stretches = most >> 1;
  const thinX: number[] = [];
  const thinY: number[] = [];
  for (let s = 0; s < stretches; s++) {
    const start = Math.floor((s * x.length) / stretches);
    const end = Math.floor(((s + 1) * x.length) / stretches);
    let low = start;
    let high = start;
    for (let i = start; i < end; i++) {
      if (y[i]! < y[low]!) low = i;
      if (y[i]! > y[high]!) high = i;
    }
    const kept = low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
    if (s === stretches - 1 && kept.at(-1) !== end - 1) kept.push(end - 1);
    for (const i of kept) {
      thinX.push(x[i]!);
      thinY.push(y[i]!);
    }
  }
  return { x: thinX, y: thinY };
}
