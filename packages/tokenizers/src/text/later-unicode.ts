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
