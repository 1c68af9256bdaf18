import { InputError } from '@headwise/core';

/**
 * Whether a name fits a pattern: `*` stands for any part between dots, `**` for any number of parts.
 *
 * @example nameMatches('blocks.*.attn.pattern', 'blocks.3.attn.pattern'); // true
 */
export function nameMatches(pattern: string, name: string): boolean {
  return partsMatch(pattern.split('.'), name.split('.'));
}

function partsMatch([first, ...rest]: string[], parts: readonly string[]): boolean {
  if (first === undefined) return parts.length === 0;
  if (first === '**') {
    return parts.some((_, i) => partsMatch(rest, parts.slice(i))) || partsMatch(rest, []);
  }
  const [part, ...others] = parts;
  return part !== undefined && (first === '*' || first === part) && partsMatch(rest, others);
}

/** @throws InputError where a pattern fits none of the names, with the names that are nearest to it */
export function checkMatched(patterns: readonly string[], names: ReadonlySet<string>): void {
  for (const pattern of patterns) {
    if ([...names].some((name) => nameMatches(pattern, name))) continue;
    const near = nearest(pattern, [...names]);
    const hint = near.length > 0 ? `near are ${near.join(', ')}` : 'the model names none at all';
    throw new InputError(`no activation is named '${pattern}'; ${hint}`);
  }
}

/**
 * Makes a check for one forward pass that refuses two blocks with activations of the same name, which could not be told apart.
 *
 * @returns throws InputError for the second block; one that runs twice is taken
 */
export function sourceCheck(): (name: string, source: object | undefined) => void {
  const sources = new Map<string, object>();
  return (name, source) => {
    if (!source) return;
    if ((sources.get(name) ?? source) !== source) {
      throw new InputError(
        `two blocks show an activation named '${name}'; expected blocks whose parameters have distinct paths, or that are given one path each`,
      );
    }
    sources.set(name, source);
  };
}

/** The names that take the fewest edits to reach, the nearest first. */
function nearest(wanted: string, names: readonly string[], count = 5): string[] {
  return names
    .map((name) => ({ name, distance: editDistance(wanted, name) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ name }) => name);
}

/** The number of characters to insert, delete or change between two texts (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(change, row[j]! + 1, next[j - 1]! + 1);
    }
    row = next;
  }
  return row[b.length]!;
}
