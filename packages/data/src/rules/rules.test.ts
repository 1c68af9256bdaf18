import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stepsOf } from '../documents/steps.js';
import { urlRules } from './url-rules.js';

const golden = JSON.parse(
  readFileSync(new URL('../goldens/urls.json', import.meta.url), 'utf8'),
) as { lists: Record<string, string[]>; outcomes: [string, string][] };

/** Where the decision is not datatrove's: a host name has no case, but datatrove compares it as it is written. */
const differences: Readonly<Record<string, string>> = { 'https://BAD.com/': 'domain' };

const { domains, urls, banned_words, soft_banned_words, banned_subwords } = golden.lists;
const rules = urlRules({
  domains: domains!,
  urls: urls!,
  bannedWords: banned_words!,
  softBannedWords: soft_banned_words!,
  bannedSubwords: banned_subwords!,
});

test.each(golden.outcomes)('%s is decided as by datatrove: %s', async (url, rule) => {
  const document = { id: '1', text: '', meta: { url } };
  expect(await rules.apply([document])).toEqual([(differences[url] ?? rule) || document]);
});

test('a document without an address, and rules without an entry, are refused', async () => {
  await expect(rules.apply([{ id: 'a:3', text: '', meta: {} }])).rejects.toThrow(
    'url-rules: document a:3 has no "url" that is a string; name the field of the address',
  );
  expect(() => urlRules({ domains: ['# none'] })).toThrow('url-rules: all lists are empty');
});

test('documents of named languages stay, others go by the rule of theirs', async () => {
  const [step] = await stepsOf(
    [{ step: 'language', languages: ['en', 'fr'], store: true }],
    'p.json',
  );
  const outcome = async (text: string) => (await step!.apply([{ id: '1', text, meta: {} }]))[0];
  expect(await outcome('Call me Ishmael. Some years ago, never mind how long.')).toMatchObject({
    meta: { language: 'en', languageScore: expect.any(Number) },
  });
  expect(await outcome('Appelez-moi Ismaël. Il y a quelques années de cela.')).toHaveProperty(
    'text',
  );
  expect(await outcome('Nennt mich Ismael. Vor einigen Jahren, gleichviel wann.')).toBe(
    'language_de',
  );
  expect(await outcome('1234 5678')).toBe('language_unknown');
  const [unknown] = await stepsOf([{ step: 'language', languages: ['xx'] }], 'p.json');
  await expect(unknown!.apply([{ id: '1', text: 'a', meta: {} }])).rejects.toThrow(
    'language: languages has "xx"; expected some of am, ar,',
  );
  await expect(stepsOf([{ step: 'language' }], 'p.json')).rejects.toThrow('languages is []');
  const [url] = await stepsOf([{ step: 'url-rules', domains: ['bad.com'] }], 'p.json');
  const bad = { id: '1', text: '', meta: { url: 'http://bad.com' } };
  expect(await url!.apply([bad])).toEqual(['domain']);
});
