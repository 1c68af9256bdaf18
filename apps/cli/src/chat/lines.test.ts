import { PassThrough } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { pipedLines, terminalLines } from './lines.js';

const codeBefore = process.exitCode;
afterEach(() => {
  process.exitCode = codeBefore;
});

async function* pieces(...given: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const piece of given) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
}

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const read: string[] = [];
  for await (const line of lines) read.push(line);
  return read;
}

/** Enters keys one after the other, each once the prompt is there for it. */
async function entered(...keys: string[]): Promise<{ read: string[]; shown: string }> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = '';
  output.setEncoding('utf8').on('data', (text) => {
    shown += text;
  });
  const lines = terminalLines({ input, output, prompt: '> ' });
  const read: string[] = [];
  for (const key of keys) {
    const next = lines.next();
    input.write(key);
    const { value, done } = await next;
    if (!done) read.push(value);
  }
  expect(await lines.next()).toMatchObject({ done: true });
  return { read, shown };
}

test('piped lines may be cut anywhere, within a character too, and the last needs no end', async () => {
  const [first, second] = [Uint8Array.of(0xc3), Uint8Array.of(0xa9)];
  expect(await all(pipedLines(pieces('a', 'b\r\n\nn', first, second, '\nlast')))).toEqual([
    'ab',
    '',
    'né',
    'last',
  ]);
  const ends = all(pipedLines(pieces('a\n', first)));
  await expect(ends).rejects.toThrow('standard input: is not UTF-8');
  await expect(all(pipedLines(pieces(Uint8Array.of(0xff, 0x0a))))).rejects.toThrow('is not UTF-8');
});

test('a pasted text of several lines is one entry, and Ctrl-D ends', async () => {
  const { read, shown } = await entered('first\r', 'a\rb\rc\r', '\x04');
  expect(read).toEqual(['first', 'a\nb\nc']);
  expect(shown).toContain('> ');
  expect(process.exitCode).toBe(codeBefore);
});

test('a pasted text whose last line is open goes on until its end; entries can be called back', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const lines = terminalLines({ input, output: output.resume(), prompt: '> ' });
  const first = lines.next();
  input.write('a\rb');
  await new Promise(setImmediate);
  input.write('c\r');
  expect((await first).value).toBe('a\nbc');
  const second = lines.next();
  input.write('\x1b[A\r'); // up
  expect((await second).value).toBe('bc');
  await lines.return(undefined);
});

test('Ctrl-C leaves, with its exit code', async () => {
  const { read } = await entered('first\r', 'half\x03');
  expect(read).toEqual(['first']);
  expect(process.exitCode).toBe(130);
});
