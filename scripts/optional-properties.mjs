// Finds optional properties whose type does not include `undefined`: under `exactOptionalPropertyTypes` a caller could not
// pass on an option of its own that may be absent.

/** The text with everything in comments and strings replaced by spaces, so that places stay. */
function codeOf(text) {
  const blank = (match) => match.replace(/[^\n]/g, ' ');
  return text.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g,
    blank,
  );
}

const opening = '([{';
const closing = ')]}';

/** The end of a type: the `;` after it, or the bracket that closes what it lies in. */
function endOfType(code, start) {
  let depth = 0;
  for (let i = start; i < code.length; i++) {
    if (opening.includes(code[i])) depth++;
    else if (closing.includes(code[i])) depth--;
    if (depth < 0 || (depth === 0 && code[i] === ';')) return i;
  }
  return code.length;
}

/** A type without what brackets hold. */
function flat(type) {
  let before;
  let text = type.replaceAll('=>', '→');
  do {
    before = text;
    text = text.replace(
      /\([^()[\]{}<>]*\)|\[[^()[\]{}<>]*\]|\{[^()[\]{}<>]*\}|<[^()[\]{}<>]*>/g,
      '',
    );
  } while (text !== before);
  return text;
}

/** Whether a type includes `undefined` by itself; that of what a function returns does not count. */
function includesUndefined(type) {
  const outer = flat(type).trim();
  if (outer.includes('→')) return false;
  return /^(?:unknown|any)$/.test(outer) || /(?:^|\|)\s*undefined\b/.test(outer);
}

/** The optional properties of interfaces, type literals and classes in a declaration file that lack `undefined`. */
export function withoutUndefined(text) {
  const code = codeOf(text);
  const found = [];
  const brackets = [];
  for (let i = 0; i < code.length; i++) {
    if (opening.includes(code[i])) brackets.push(code[i]);
    else if (closing.includes(code[i])) brackets.pop();
    else if (code.startsWith('?:', i) && code[i - 1] !== '-' && brackets.at(-1) === '{') {
      const end = endOfType(code, i + 2);
      if (includesUndefined(code.slice(i + 2, end))) continue;
      const line = text.slice(text.lastIndexOf('\n', i) + 1, i).trim();
      const name = line.split(/[\s{;]/).at(-1);
      found.push({ name, line: text.slice(0, i).split('\n').length, start: i + 2, end });
    }
  }
  return found;
}
