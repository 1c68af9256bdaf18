/** Values over a common axis, as points in order. */
export interface Series {
  x: readonly number[];
  y: readonly number[];
}

/**
 * An exponential mean that gives early values their full weight.
 *
 * @param strength from 0, nothing, to below 1
 */
export function smooth({ x, y }: Series, strength: number): Series {
  if (strength <= 0) return { x, y };
  let mean = 0;
  let weight = 0;
  const smoothed = y.map((value) => {
    if (!Number.isFinite(value)) return value;
    mean = strength * mean + (1 - strength) * value;
    weight = strength * weight + (1 - strength);
    return mean / weight;
  });
  return { x, y: smoothed };
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
