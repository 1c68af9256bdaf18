/**
 * BERT's parts of the reference know Unicode 8 and older: of later characters they take no sign for punctuation, no
 * mark for a mark and no format character for one. These are the stretches in which that shows; every
 * punctuation sign, mark or format character in them is a later one.
 */

/** Whether the reference does not know a punctuation sign. */
export const isLaterPunctuation = (codePoint: number): boolean => within(punctuation, codePoint);

/** Whether the reference does not know a nonspacing mark. */
export const isLaterNonspacing = (codePoint: number): boolean => within(nonspacing, codePoint);

/** Whether the reference does not know a mark. */
export const isLaterMark = (codePoint: number): boolean => within(marks, codePoint);

/** Whether the reference does not know a format character. */
export const isLaterFormat = (codePoint: number): boolean => within(formats, codePoint);

/**
 * Whether the reference's normal forms, of Unicode 9, leave a character unchanged.
 *
 * @param compatible of NFKC and NFKD, too
 */
export const isLaterDecomposition = (codePoint: number, compatible: boolean): boolean =>
  within(decompositions, codePoint) || (compatible && within(compatibles, codePoint));

/** Whether the reference's normal forms do not know a combining mark. */
export const isLaterCombining = (codePoint: number): boolean => within(combining, codePoint);

type Ranges = readonly (readonly [from: number, to: number])[];

const punctuation = ranges(`
  61d 9fd-a76 c77-c84 1b4e-1b4f 1b7d-1b7f 2e43-2e5d 10d6e-10f89 113d4-1145d 11660-116b9
  1183b-11fff 12ff1-12ff2 16d6d-16fe2 1e5ff-1e95f
`);

const nonspacing = ranges(`
  7fd 897-8e1 9fe afa-aff b55 c04-c3c d00 d3b-d3c d81 eba ece 180f-1886 1abf-1aeb 1df6-1dfb
  a82c a8c5 a8ff a9bd 10d24-10f85 11070-11074 110c2 111c9 111cf 1123e-11241 1133b 113bb-1145e
  1182f-1612f 16f4f 16fe4 1cf00-1cf46 1e000-1e6f5 1e944-1e94a
`);

const marks = ranges(`
  7fd 897-8d3 9fe afa-aff b55 c04-c3c cf3-d00 d3b-d3c d81 eba ece 1715 180f 1abf-1aeb 1cf7
  1df6-1dfa a82c a8ff 10d24-10f85 11070-11074 110c2 11145-11146 111c9 111ce-111cf 11241 1133b
  113b8-113e2 1145e 1182c-11b67 11d31-1612f 16f4f 16f7f-16f87 16fe4-16ff1 1cf00-1cf46
  1e08f-1e6f5
`);

const formats = ranges(`
  890-8e2 110cd-1343f
`);

const decompositions = ranges(`
  105c9 105e4 11383 11385 1138e 11391 113c5 113c7-113c8 11938 16121-16128 16d68-16d6a
`);

const compatibles = ranges(`
  32ff a7f1-a7f4 ab69 10781-10785 10787-107b0 107b2-107ba 1ccd6-1ccf9 1e030-1e06d 1f16c 1fbf0-1fbf9
`);

const combining = ranges(`
  7fd 898-89f 8ca-8d3 9fe c3c d3b-d3c eba 1715 1abf-1ace 1df6-1dfa a82c 10d24-10d27 10eab-10eac
  10f46-10f50 10f82-10f85 11070 1133b 1145e 11839-1183a 11938 1193d-1193e 11943 119e0 11a34 11a47
  11a99 11d42 11d44-11d45 11d97 16ff0-16ff1 1e130-1e136 1e2ae 1e2ec-1e2ef
`);

function ranges(text: string): Ranges {
  return text
    .trim()
    .split(/\s+/)
    .map((range) => {
      const [from, to = from] = range.split('-').map((hex) => Number.parseInt(hex, 16));
      return [from!, to!];
    });
}

function within(all: Ranges, codePoint: number): boolean {
  return all.some(([from, to]) => codePoint >= from && codePoint <= to);
}
