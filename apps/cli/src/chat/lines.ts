import { createInterface, type Interface } from 'node:readline';
import { FileError } from '@headwise/files';
import { interrupted } from '../signals.js';

/**
 * The lines of a stream that is no terminal.
 *
 * @throws FileError where it is not UTF-8
 */
export async function* pipedLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decoded = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw new FileError('standard input', 'is not UTF-8');
    }
  };
  let rest = '';
  for await (const bytes of input) {
    const lines = (rest + decoded(bytes)).split(/\r?\n/);
    rest = lines.pop()!;
    yield* lines;
  }
  rest += decoded();
  if (rest !== '') yield rest;
}

interface Terminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
  prompt: string;
}

/**
 * What a person enters on the terminal, after a prompt; ends at Ctrl-D or Ctrl-C, the latter with its exit code.
 *
 * A text of several lines that is pasted is one entry. Between entries the terminal is as it was, so that Ctrl-C is a signal there.
 */
export async function* terminalLines({ input, output, prompt }: Terminal): AsyncGenerator<string> {
  let history: string[] = [];
  for (;;) {
    const lines = createInterface({ input, output, prompt, history, terminal: true });
    lines.on('history', (entries) => {
      history = entries;
    });
    const entry = await entryOf(lines);
    lines.close();
    if (entry === undefined) {
      output.write('\n');
      return;
    }
    yield entry;
  }
}

function entryOf(lines: Interface): Promise<string | undefined> {
  const entered: string[] = [];
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      entered.push(line);
      // Lines that are pasted come at once; the last of them may still be open.
      setImmediate(() => {
        if (lines.line === '') resolve(entered.join('\n'));
      });
    });
    lines.on('close', () => resolve(undefined));
    lines.on('SIGINT', () => {
      process.exitCode = interrupted;
      lines.close();
    });
    lines.prompt();
  });
}
