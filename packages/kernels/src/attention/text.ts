/** The texts of `n` repetitions, one after the other. */
export function each(n: number, text: (i: number) => string, between = '\n'): string {
  return Array.from({ length: n }, (_, i) => text(i)).join(between);
}
