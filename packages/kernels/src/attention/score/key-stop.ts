import type { Value } from './graph.js';
import type { TileIntervals } from './intervals.js';

/** A linear form in the key's position: `factor · k + Σ sign · value`. */
interface Linear {
  factor: number;
  rest: { sign: 1 | -1; value: Value }[];
}

function linear(value: Value): Linear | undefined {
  if (value.op === 'k') return { factor: 1, rest: [] };
  if (!dependsOnKey(value)) return { factor: 0, rest: [{ sign: 1, value }] };
  if (value.op !== 'add' && value.op !== 'sub') return undefined;
  const [x, y] = value.args.map(linear);
  return x && y && sum(x, y, value.op === 'add' ? 1 : -1);
}

const sum = (x: Linear, y: Linear, sign: 1 | -1): Linear => ({
  factor: x.factor + sign * y.factor,
  rest: [...x.rest, ...y.rest.map((term) => ({ ...term, sign: (term.sign * sign) as 1 | -1 }))],
});

const dependsOnKey = (value: Value): boolean => value.op === 'k' || value.args.some(dependsOnKey);

/** WGSL (`i32`) of a key from which on all are masked for every query of a tile; undefined where none is known. */
export function keyStop(tile: TileIntervals, value: Value): string | undefined {
  const [a, b] = value.args as [Value, Value];
  switch (value.op) {
    case 'and': {
      const [x, y] = [keyStop(tile, a), keyStop(tile, b)];
      return x && y ? `min(${x}, ${y})` : (x ?? y);
    }
    case 'or': {
      const [x, y] = [keyStop(tile, a), keyStop(tile, b)];
      return x && y && `max(${x}, ${y})`;
    }
    case 'less':
    case 'lessEqual': {
      if (a.type !== 'int') return undefined;
      const [x, y] = [linear(a), linear(b)];
      const difference = x && y && sum(x, y, -1);
      // k + rest < 0
      if (difference?.factor !== 1) return undefined;
      const terms = difference.rest.map(({ sign, value }) => {
        const range = tile.range(value);
        return range && (sign > 0 ? `- ${range.least}` : `+ ${range.most}`);
      });
      if (terms.includes(undefined)) return undefined;
      return `(${value.op === 'less' ? 0 : 1} ${terms.join(' ')})`;
    }
    default:
      return undefined;
  }
}
