/** Punctuation and control characters that count as a space, as datatrove's `PUNCTUATION`. */
const punctuation =
  /[!/—”:％１〈&(、━\\【#%「」，】；+^\]~“《„';’{|∶´[=\-`*．（–？！：$～«〉,><》)?）。…@_."}►»\p{Cc}]/gu;
const numbers = /\p{Nd}+(?:[.,،٫⎖⎗⎘]\p{Nd}+)?/gu;
/** White space as Python has it: JavaScript's, without the byte order mark. */
const spaces = /[^\S\ufeff]+/g;
const marks = /\p{Mn}/gu;

/**
 * A text as near-duplicates are compared: lower case, each number as `0`, punctuation as spaces, spaces run together,
 * no diacritics. Equal to datatrove's `simplify_text` with its default settings.
 */
export function simplifyText(text: string): string {
  const words = text
    .toLowerCase()
    .replace(numbers, '0')
    .replace(punctuation, ' ')
    .replace(spaces, ' ')
    .replace(/^ | $/g, '');
  // What is ASCII has no marks to lose.
  if (/^\p{ASCII}*$/u.test(words)) return words;
  return words
    .normalize('NFD')
    .replace(marks, '')
    .replace(/^ +| +$/g, '');
}
