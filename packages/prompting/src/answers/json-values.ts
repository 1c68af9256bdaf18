/** Where the JSON objects and arrays of a text are that stand in no other, in order, as starts and ends in code units. */
export function jsonValues(text: string): [start: number, end: number][] {
  const found: [number, number][] = [];
  /** Brackets that were read already: where their value ends, or 0 where it does not. */
  const known = new Map<number, number>();
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '{' && text[at] !== '[') continue;
    if (!known.has(at)) readBrackets(text, at, known);
    const end = known.get(at)!;
    if (end === 0) continue;
    found.push([at, end]);
    at = end - 1;
  }
  return found;
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const literal = /true|false|null/y;
/** What needs no escape in a string: all but quotes, backslashes and control characters. */
const plain = '[^"\\\\\\u0000-\\u001f]*';
const string = new RegExp(`"${plain}(?:\\\\(?:["\\\\/bfnrt]|u[\\da-fA-F]{4})${plain})*"`, 'y');
const space = /[ \t\n\r]*/y;

/**
 * Reads JSON from a bracket until it ends or breaks off, and notes of every bracket on the way where its value ends.
 *
 * A bracket that is open where the outer one breaks off would break off there too, so that none is read twice in the same way.
 */
function readBrackets(text: string, start: number, known: Map<number, number>): void {
  const open: number[] = [];
  let at = start;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  const skipChar = (char: string): boolean => {
    if (text[at] !== char) return false;
    at++;
    return true;
  };
  const begin = (): boolean => {
    if (text[at] !== '{' && text[at] !== '[') return false;
    open.push(at++);
    skip(space);
    return true;
  };
  const key = (): boolean => skip(string) && skip(space) && skipChar(':') && skip(space);
  /** From where an element may begin to where one must have ended; false where the text breaks off. */
  const element = (mayClose: boolean): 'begun' | 'ended' | 'closed' | undefined => {
    const isObject = text[open.at(-1)!] === '{';
    if (mayClose && text[at] === (isObject ? '}' : ']')) return 'closed';
    if (isObject && !key()) return undefined;
    if (begin()) return 'begun';
    return skip(string) || skip(number) || skip(literal) ? 'ended' : undefined;
  };
  begin();
  let isEmpty = true;
  for (;;) {
    const step = element(isEmpty);
    if (step === undefined) break;
    isEmpty = step === 'begun';
    if (isEmpty) continue;
    // What has ended may end what it stands in.
    for (;;) {
      skip(space);
      const bracket = open.at(-1)!;
      if (!skipChar(text[bracket] === '{' ? '}' : ']')) break;
      known.set(bracket, at);
      open.pop();
      if (open.length === 0) return;
    }
    if (!skipChar(',')) break;
    skip(space);
  }
  for (const bracket of open) known.set(bracket, 0);
}
