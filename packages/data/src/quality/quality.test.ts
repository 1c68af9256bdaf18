import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Outcome } from '../documents/step.js';
import { mixedDocuments } from '../goldens/mixed-documents.node.js';
import golden from '../goldens/quality.json' with { type: 'json' };
import { countEnglishSentences, englishWords } from '../text/english-words.js';
import { c4Quality } from './c4-quality.js';
import { finewebQuality } from './fineweb-quality.js';
import { gopherQuality } from './gopher-quality.js';
import { gopherRepetition } from './gopher-repetition.js';

const all = mixedDocuments(2000);
/** Every fifth document, and with the flag each. */
const documents = process.env.HEADWISE_DATATROVE ? all : all.filter((_, i) => i % 5 === 0);
const numberOf = (id: string) => Number(id.slice(id.indexOf(':') + 1));
const digest = (text: string) => createHash('sha256').update(text).digest('hex');

test('the documents are those that datatrove decided on', () => {
  expect(digest(all.map(({ text }) => text).join('\0'))).toBe(golden.texts);
});

test('words and sentences are those of spaCy', () => {
  const differing = documents.filter(
    ({ id, text }) =>
      digest(englishWords(text).join('\0')).slice(0, 6) !== golden.words[numberOf(id)],
  );
  expect(differing.map(({ id }) => id)).toEqual([]);
  for (const { id, text } of documents) {
    // datatrove splits a text without tokens into one empty piece.
    expect(Math.max(1, countEnglishSentences(text)), id).toBe(golden.sentences[numberOf(id)]);
  }
});

test.each([gopherQuality(), gopherRepetition(), c4Quality(), finewebQuality()])(
  '$name decides as datatrove does, by the same rule',
  async (step) => {
    const { reasons, outcomes } = golden[step.name as 'c4-quality'];
    const differing: string[] = [];
    const found = await step.apply(documents);
    for (const [n, document] of documents.entries()) {
      const outcome = found[n] as Outcome;
      const ours =
        typeof outcome === 'string'
          ? outcome
          : outcome.text === document.text
            ? ''
            : digest(outcome.text).slice(0, 8);
      const theirs = outcomes[numberOf(document.id)]!;
      const expected = typeof theirs === 'number' ? reasons[theirs]! : theirs;
      if (ours !== expected) differing.push(`${document.id}: ${ours}, expected ${expected}`);
    }
    expect(differing).toEqual([]);
  },
);
