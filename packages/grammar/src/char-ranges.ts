import type { CharRange } from './expression.js';

/** All characters: code points but for surrogates, which UTF-8 cannot hold. */
export const allChars: readonly CharRange[] = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** The characters of any of the ranges, sorted and disjoint. */
export function union(ranges: readonly CharRange[]): CharRange[] {
  const merged: [number, number][] = [];
  for (const [first, last] of [...ranges].sort(([a], [b]) => a - b)) {
    const before = merged.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** The characters in both, each sorted and disjoint. */
export function intersection(a: readonly CharRange[], b: readonly CharRange[]): CharRange[] {
  return a.flatMap(([first, last]) =>
    b.flatMap(([from, to]): CharRange[] => {
      const both: CharRange = [Math.max(first, from), Math.min(last, to)];
      return both[0] <= both[1] ? [both] : [];
    }),
  );
}

/** All other characters. */
export function complement(ranges: readonly CharRange[]): CharRange[] {
  const rest: CharRange[] = [];
  let next = 0;
  for (const [first, last] of union(ranges)) {
    if (next < first) rest.push([next, first - 1]);
    next = last + 1;
  }
  rest.push([next, 0x10ffff]);
  return intersection(
    rest.filter(([first, last]) => first <= last),
    allChars,
  );
}

/** The ranges that a property of characters holds in. */
export function rangesWhere(holds: (char: string) => boolean): CharRange[] {
  const ranges: [number, number][] = [];
  for (const [first, last] of allChars) {
    for (let code = first; code <= last; code++) {
      if (!holds(String.fromCodePoint(code))) continue;
      const before = ranges.at(-1);
      if (before?.[1] === code - 1) before[1] = code;
      else ranges.push([code, code]);
    }
  }
  return ranges;
}
