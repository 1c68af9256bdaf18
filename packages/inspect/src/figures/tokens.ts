const signs: Readonly<Record<string, string>> = { ' ': '·', '\n': '⏎', '\t': '⇥', '\r': '␍' };

/** A token as a label: white space is made visible, and what is wider than some columns ends in `…`. */
export function shownToken(token: string, most = 14): string {
  if (token === '') return '∅';
  const text = token.replace(/[ \n\t\r]/g, (space) => signs[space]!);
  if (columnsOf(text) <= most) return text;
  let [shown, left] = ['', most - 1];
  for (const character of text) {
    left -= columnsOf(character);
    if (left < 0) break;
    shown += character;
  }
  return `${shown}…`;
}

/** The width of a label in the figures' font of 12 px. */
export function labelWidth(text: string): number {
  return columnsOf(text) * 7.3;
}

/** Wide scripts take two columns a character; Latin, Greek, punctuation and symbols lie among them. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    columns += code < 0x1100 || (code >= 0x1e00 && code < 0x2e80) ? 1 : 2;
  }
  return columns;
}

/** The width of the widest label of some tokens. */
export function widestLabel(tokens: readonly string[]): number {
  return tokens.reduce((width, token) => Math.max(width, labelWidth(shownToken(token))), 0);
}
