/** Contractions without their apostrophe, cut where spaCy cuts them. */
const contractions =
  `ai-nt are-nt can-not ca-nt ca-nt-ve could-nt could-nt-ve could-ve dare-nt did-nt did-nt-ve does-nt
does-nt-ve do-nt do-nt-ve gon-na got-ta had-nt had-nt-ve has-nt have-nt he-d he-d-ve he-ll-ve he-s how-d how-d-ve how-ll
how-ll-ve how-re how-s how-ve i-d i-d-ve i-ll-ve i-m i-m-a is-nt it-d it-d-ve it-ll it-ll-ve i-ve may-nt may-nt-ve
might-nt might-nt-ve might-ve must-nt must-nt-ve must-ve need-nt need-nt-ve not-ve ought-nt ought-nt-ve sha-nt sha-nt-ve
she-d-ve she-ll-ve she-s should-nt should-nt-ve should-ve that-d that-d-ve that-ll that-ll-ve that-s there-d there-d-ve
there-ll there-ll-ve there-re there-s there-ve these-d these-d-ve these-ll these-ll-ve these-re these-ve they-d they-d-ve
they-ll they-ll-ve they-re they-ve this-d this-d-ve this-ll this-ll-ve this-s those-d those-d-ve those-ll those-ll-ve
those-re those-ve was-nt we-d we-d-ve we-ll-ve were-nt we-ve what-d what-d-ve what-ll what-ll-ve what-re what-s what-ve
when-d when-d-ve when-ll when-ll-ve when-re when-s when-ve where-d where-d-ve where-ll where-ll-ve where-re where-s
where-ve who-d who-d-ve who-ll who-ll-ve who-s who-ve why-d why-d-ve why-ll why-ll-ve why-re why-s why-ve wo-nt wo-nt-ve
would-nt would-nt-ve would-ve y-all you-d you-d-ve you-ll you-ll-ve you-re you-ve`.split(/\s/);

const cuts = new Map(
  contractions.map((cut) => [cut.replaceAll('-', ''), cut.replaceAll('-', ' ')] as const),
);

const currencies = '$£€¥฿₽﷼₴₠₡₢₣₤₥₦₧₨₩₪₫₭₮₯₰₱₲₳₵₶₷₸₹₺₻₼₾₿';
const marks = '¿؟¡·।،۔؛٪\\p{So}';
const units =
  'km[²³]?|[dcm]?m[²³]?|ha|µm|nm|yd|in|ft|kg|[mµ]?g|t|lb|oz|mph|kmh|mbar|[mkgt]b|' +
  'км[²³]?|[дсм]?м[²³]?|нм|кг|м?г|мбар|[кмг]б';
/** What is cut off the start of a word, and off its end: after a digit also a currency or a unit. */
const leading = new RegExp(`^[§${currencies}${marks}](?=.)`, 'u');
const trailing = new RegExp(`(?<=.)(?:[${marks}]|(?<=0)(?:[${currencies}]|${units}))$`, 'u');
const inside = /\p{So}/gu;

/**
 * A simplified text with spaces between the words that spaCy's English tokenizer finds: `cannot` becomes `can not`,
 * `0km` becomes `0 km`. Its rules for punctuation have nothing to do here, since a simplified text has none.
 */
export function separateEnglishWords(simplified: string): string {
  const words = simplified.split(' ');
  let changed = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const cut = cuts.get(word) ?? (/^[a-z]*$/.test(word) ? word : separateSigns(word));
    if (cut === word) continue;
    words[i] = cut;
    changed = true;
  }
  return changed ? words.join(' ') : simplified;
}

/** Cuts signs and units off both ends of a word, one after the other, and then splits what is left at its symbols. */
function separateSigns(word: string): string {
  let rest = word;
  let before = '';
  let after = '';
  for (;;) {
    const first = leading.exec(rest)?.[0] ?? '';
    rest = rest.slice(first.length);
    const last = trailing.exec(rest)?.[0] ?? '';
    rest = rest.slice(0, rest.length - last.length);
    if (!first && !last) return before + spaced(rest) + after;
    if (first) before += `${first} `;
    if (last) after = ` ${last}${after}`;
  }
}

const spaced = (word: string): string => word.replace(inside, ' $& ').replace(/^ | (?= )| $/g, '');
