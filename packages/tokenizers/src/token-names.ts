/** Gives tokens their names. */
export interface TokenNames {
  tokenOf(id: number): string | undefined;
}
