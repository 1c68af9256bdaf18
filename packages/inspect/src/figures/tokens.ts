const signs: Readonly<Record<string, string>> = { ' ': '·', '\n': '⏎', '\t': '⇥', '\r': '␍' };

/** A token as a label: white space is made visible, and what is too long ends in `…`. */
export function shownToken(token: string, most = 14): string {
  if (token === '') return '∅';
  const characters = [...token.replace(/[ \n\t\r]/g, (space) => signs[space]!)];
  return characters.length <= most
    ? characters.join('')
    : `${characters.slice(0, most - 1).join('')}…`;
}

/** The width of a label in the figures' font of 12 px; wide scripts take two columns a character. */
export function labelWidth(text: string): number {
  let columns = 0;
  for (const character of text) columns += character.codePointAt(0)! >= 0x1100 ? 2 : 1;
  return columns * 7.3;
}

/** The width of the widest label of some tokens. */
export function widestLabel(tokens: readonly string[]): number {
  return tokens.reduce((width, token) => Math.max(width, labelWidth(shownToken(token))), 0);
}
