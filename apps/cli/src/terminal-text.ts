/**
 * A text of a model as a terminal shows it: control characters but line feeds and tabs become their pictures, such as ␛, so that no
 * text moves the cursor, clears the screen or sets a title.
 */
export function terminalText(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => {
    if (character === '\n' || character === '\t') return character;
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : '\ufffd';
  });
}

/** A text of a model for standard output: as it is, unless that is a terminal. */
export const printed = (text: string): string => (process.stdout.isTTY ? terminalText(text) : text);
