import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readExamples, readRows } from './read-examples.js';

const golden = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../goldens/${name}.parquet`, import.meta.url)));

test('chats of a Parquet file, its lists of structures and texts of any script, are those that pyarrow wrote', async () => {
  const { format, examples, places } = await readExamples(golden('messages-snappy'), 'm', [
    'messages',
    'text',
  ]);
  expect(format).toBe('messages');
  expect(places).toEqual([1, 2]);
  expect(examples).toEqual([
    {
      messages: [
        { role: 'user', content: 'Où est la baleine ?' },
        { role: 'assistant', content: 'Ici 🐳.' },
      ],
    },
    {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Where?' },
        { role: 'assistant', content: 'Here.' },
      ],
    },
  ]);
});

test('numbers of classes are their names, and rows of several groups come in order', async () => {
  const { examples } = await readExamples(golden('labels-zstd'), 'l', ['label']);
  expect(examples).toEqual(
    [0, 1, 2, 3, 4].map((n) => ({ text: `text ${n}`, label: String(n % 3) })),
  );
});

test('the first row that is not of the format is shown', async () => {
  await expect(
    readExamples(golden('completions-gzip'), 'c.parquet', ['completion']),
  ).rejects.toThrow(
    `c.parquet:3: {"prompt":"e","completion":null}: has 'prompt'; expected 'prompt' and 'completion'`,
  );
  await expect(readExamples(golden('labels-zstd'), 'l.parquet', ['messages'])).rejects.toThrow(
    /^l.parquet:1: {"text":"text 0",.* is not an example; expected an object a line with 'messages'/,
  );
});

test('a file that is cut off, damaged or not UTF-8 is refused by its name', async () => {
  const whole = golden('messages-snappy');
  const read = (bytes: Uint8Array) => readExamples(bytes, 'm.parquet', ['messages']);
  for (const length of [4, 11, 200, whole.length - 1]) {
    await expect(read(whole.slice(0, length)), String(length)).rejects.toThrow(
      /^m.parquet: cannot be read as Parquet: .*; the file may be cut off or damaged/,
    );
  }
  const bytes = golden('completions-gzip');
  await expect(read(bytes.fill(0, 10, 60))).rejects.toThrow(/^m.parquet: /);
  const wrong = golden('messages-snappy');
  const at = Buffer.from(wrong).indexOf('Be brief.');
  wrong[at] = 0xff;
  await expect(read(wrong)).rejects.toThrow(/^m.parquet: cannot be read as Parquet: .*not valid/);
});

test('lines of JSON are read as before', async () => {
  const bytes = new TextEncoder().encode('{"text": "a"}\n\n{"text": "b"}\n');
  const { examples, places } = await readExamples(bytes, 't.jsonl', ['text']);
  expect(examples).toEqual([{ text: 'a' }, { text: 'b' }]);
  expect(places).toEqual([1, 3]);
  await expect(readExamples(new Uint8Array(), 't.jsonl', ['text'])).rejects.toThrow('t.jsonl');
});

test('prompts and answers of preferences are texts or messages, not both; a prompt needs no assistant', async () => {
  const user = [{ role: 'user', content: 'a' }];
  const said = [{ role: 'assistant', content: 'b' }];
  const read = (row: object) =>
    readExamples(new TextEncoder().encode(JSON.stringify(row)), 'p.jsonl', [
      'preference',
      'judged',
    ]);
  const chat = { prompt: user, chosen: said, rejected: said };
  expect((await read(chat)).examples).toEqual([chat]);
  const judged = { prompt: 'a', completion: 'b', label: true };
  expect(await read(judged)).toMatchObject({ format: 'judged', examples: [judged] });
  await expect(read({ ...chat, rejected: 'b' })).rejects.toThrow(
    "'prompt' is messages and 'rejected' is a text; expected texts, or messages, for all",
  );
  await expect(read({ ...chat, chosen: user })).rejects.toThrow(
    "no message of the role 'assistant'",
  );
  await expect(read({ ...judged, prompt: 3 })).rejects.toThrow(
    "'prompt' is 3; expected a text, or an array of messages with 'role' and 'content'",
  );
});

test('rows are read whatever they hold, with their places', async () => {
  const { rows, places } = await readRows(new TextEncoder().encode('{"a": 1}\n\n[2]\n'), 'r.jsonl');
  expect([rows, places]).toEqual([
    [{ a: 1 }, [2]],
    [1, 3],
  ]);
  const labels = await readRows(golden('labels-zstd'), 'l.parquet');
  expect(labels.rows[0]).toMatchObject({ text: 'text 0' });
  expect(labels.places).toEqual([1, 2, 3, 4, 5]);
});
