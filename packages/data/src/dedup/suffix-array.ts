/**
 * The suffix array of bytes: where each suffix begins, in the order of the suffixes, by induced sorting (SA-IS) in linear time.
 *
 * @param bytes at most 2^31 − 1 of them; nine to thirteen bytes of memory are needed for each
 * @see Nong, Zhang, Chan 2009, https://doi.org/10.1109/DCC.2009.42
 */
export function suffixArray(bytes: Uint8Array): Int32Array {
  return sorted(bytes, 256);
}

/** The suffix array of numbers below `alphabet`; a suffix is less than those that it begins. */
function sorted(text: Uint8Array | Int32Array, alphabet: number): Int32Array {
  const n = text.length;
  const order = new Int32Array(n).fill(-1);
  if (n < 2) return order.fill(0);
  // S-type: less than the suffix after it. LMS: an S-type suffix after one that is not.
  const isS = new Uint8Array(n);
  for (let i = n - 2; i >= 0; i--) {
    isS[i] = text[i]! < text[i + 1]! || (text[i] === text[i + 1] && isS[i + 1]) ? 1 : 0;
  }
  const isLms = (i: number) => i > 0 && isS[i] === 1 && isS[i - 1] === 0;
  const sizes = new Int32Array(alphabet + 1);
  for (let i = 0; i < n; i++) sizes[text[i]! + 1]!++;
  for (let c = 0; c < alphabet; c++) sizes[c + 1]! += sizes[c]!;

  const positions = new Int32Array(countLms(isS));
  for (let i = 1, at = 0; i < n; i++) if (isLms(i)) positions[at++] = i;

  induce(text, order, isS, sizes, positions);
  const lms = order.filter((i) => isLms(i));
  // Equal LMS substrings have one name; names in the order of the text are the smaller problem.
  const names = new Int32Array(n).fill(-1);
  let count = 0;
  for (let k = 0; k < lms.length; k++) {
    if (k > 0 && !sameLms(text, isS, lms[k - 1]!, lms[k]!)) count++;
    names[lms[k]!] = count;
  }
  if (count + 1 < positions.length) {
    const reduced = positions.map((i) => names[i]!);
    const inner = sorted(reduced, count + 1);
    for (let k = 0; k < inner.length; k++) lms[k] = positions[inner[k]!]!;
  }
  order.fill(-1);
  induce(text, order, isS, sizes, lms);
  return order;
}

function countLms(isS: Uint8Array): number {
  let count = 0;
  for (let i = 1; i < isS.length; i++) if (isS[i] === 1 && isS[i - 1] === 0) count++;
  return count;
}

/** Fills `order` from LMS suffixes in their order: those before them of L type from the left, then of S type from the right. */
function induce(
  text: Uint8Array | Int32Array,
  order: Int32Array,
  isS: Uint8Array,
  sizes: Int32Array,
  lms: Int32Array,
): void {
  const n = text.length;
  const ends = sizes.slice(1);
  for (let k = lms.length - 1; k >= 0; k--) order[--ends[text[lms[k]!]!]!] = lms[k]!;
  const starts = sizes.slice(0, -1);
  // The suffix of one character comes first: it is of L type, and what follows it is the empty one.
  order[starts[text[n - 1]!]!++] = n - 1;
  for (let k = 0; k < n; k++) {
    const i = order[k]! - 1;
    if (i >= 0 && isS[i] === 0) order[starts[text[i]!]!++] = i;
  }
  ends.set(sizes.subarray(1));
  for (let k = n - 1; k >= 0; k--) {
    const i = order[k]! - 1;
    if (i >= 0 && isS[i] === 1) order[--ends[text[i]!]!] = i;
  }
}

/** Whether two LMS substrings, from one LMS position to the next, are equal in characters and types. */
function sameLms(text: Uint8Array | Int32Array, isS: Uint8Array, a: number, b: number): boolean {
  for (let i = 0; ; i++) {
    const atEnd = a + i >= text.length || b + i >= text.length;
    if (atEnd || text[a + i] !== text[b + i] || isS[a + i] !== isS[b + i]) return false;
    if (i > 0 && isS[a + i] === 1 && isS[a + i - 1] === 0) return true;
  }
}
