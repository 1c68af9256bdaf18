import type { PreTokenizer } from './pre-tokenizer.js';
import { scriptRanges } from './script-ranges.js';

/** Starts and ends of the ranges in order, and the script of each. */
interface ScriptTable {
  starts: Int32Array;
  ends: Int32Array;
  scripts: Int32Array;
}

/** Cuts where the script changes; a space and characters of no script go with what stands before them. */
export function readUnicodeScripts(): PreTokenizer {
  const table = readTable();
  return {
    split(pieces) {
      const { text } = pieces;
      pieces.split((start, end, bounds) => {
        // As in the reference, what stands before the first character of a script is left out.
        let from = -1;
        let last = 0;
        for (let at = start; at < end; ) {
          const codePoint = text.codePoint(at);
          const script = scriptOf(table, codePoint);
          if (script > 0 && script !== last) {
            if (from >= 0) bounds.push(from, at);
            from = at;
            last = script;
          }
          at += codePoint > 0xffff ? 2 : 1;
        }
        if (from >= 0) bounds.push(from, end);
      });
    },
  };
}

/** The number of a character's script, from 1 on; 0 for a space and where there is none. */
function scriptOf({ starts, ends, scripts }: ScriptTable, codePoint: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= codePoint) low = middle + 1;
    else high = middle;
  }
  return low > 0 && codePoint < ends[low - 1]! ? scripts[low - 1]! : 0;
}

function readTable(): ScriptTable {
  const ranges: [start: number, end: number, script: number][] = [];
  scriptRanges
    .trim()
    .split('\n\n')
    .forEach((text, i) => {
      const numbers = text
        .trim()
        .split(/\s+/)
        .map((number) => Number.parseInt(number, 36));
      let at = 0;
      for (let k = 0; k < numbers.length; k += 2) {
        const start = at + numbers[k]!;
        at = start + numbers[k + 1]!;
        ranges.push([start, at, i + 1]);
      }
    });
  ranges.sort(([a], [b]) => a - b);
  return {
    starts: Int32Array.from(ranges, ([start]) => start),
    ends: Int32Array.from(ranges, ([, end]) => end),
    scripts: Int32Array.from(ranges, ([, , script]) => script),
  };
}
