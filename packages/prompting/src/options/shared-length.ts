/** How many tokens two sequences begin with alike. */
export function sharedLength<T>(a: readonly T[], b: readonly T[]): number {
  const differs = a.findIndex((token, i) => token !== b[i]);
  return differs < 0 ? a.length : differs;
}
