/**
 * The first key that stands twice in one object of a JSON text, which `JSON.parse` would drop in silence.
 * @param json a text that `JSON.parse` accepts
 * @returns the key, unescaped, or `undefined` when all are unique
 */
export function findDuplicateKey(json: string): string | undefined {
  // The keys of every open object, innermost last; an open array holds undefined.
  const open: (Set<string> | undefined)[] = [];
  let expectsKey = false;
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case '{':
        open.push(new Set());
        expectsKey = true;
        break;
      case '[':
        open.push(undefined);
        expectsKey = false;
        break;
      case '}':
      case ']':
        open.pop();
        expectsKey = false;
        break;
      case ',':
        expectsKey = open.at(-1) !== undefined;
        break;
      case '"': {
        const end = endOfString(json, at);
        if (expectsKey) {
          // Unescape before comparing: "a" and "\u0061" are one key.
          const key: string = JSON.parse(json.slice(at, end + 1));
          const keys = open.at(-1);
          if (keys?.has(key)) return key;
          keys?.add(key);
          expectsKey = false;
        }
        at = end;
        break;
      }
    }
  }
  return undefined;
}

/** The index of the quote that closes the string opened at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}
