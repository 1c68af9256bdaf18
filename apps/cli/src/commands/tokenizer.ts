import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { InputError } from '@headwise/core';
import { FileError } from '@headwise/files';
import {
  type Texts,
  type Tokenizer,
  trainBpe,
  trainByteLevelBpe,
  trainCharacter,
  trainUnigram,
  trainWordPiece,
} from '@headwise/tokenizers';
import { saveTokenizer } from '@headwise/tokenizers/node';
import { Command, Option } from 'commander';
import { integer } from '../numbers.js';
import { checkOutFile } from '../out-file.js';
import { output, progress } from '../output.js';

interface Options {
  kind: keyof typeof trainings;
  vocabSize: number;
  minFrequency?: number;
  special: string[];
  out: string;
  json?: boolean;
}

const trainings = {
  bpe: trainBpe,
  'byte-bpe': trainByteLevelBpe,
  wordpiece: trainWordPiece,
  unigram: trainUnigram,
  character: (texts: Texts, { specialTokens, signal }: Parameters<typeof trainBpe>[1]) =>
    trainCharacter(texts, { ...(specialTokens && { specialTokens }), ...(signal && { signal }) }),
};

/** The kinds that learn merges of pairs. */
const merges: readonly string[] = ['bpe', 'byte-bpe', 'wordpiece'];

/** `headwise tokenizer`: makes tokenizers. */
export function tokenizerCommand(): Command {
  return new Command('tokenizer').addCommand(trainCommand());
}

/** `headwise tokenizer train`: learns a vocabulary from text files. */
function trainCommand(): Command {
  return new Command('train')
    .description('learn a vocabulary from the lines of text files')
    .argument('<files...>', 'text files in UTF-8')
    .addOption(
      new Option('--kind <kind>', 'how words become tokens')
        .choices(Object.keys(trainings))
        .default('byte-bpe'),
    )
    .option('--vocab-size <n>', 'tokens at most', integer, 8000)
    .option('--min-frequency <n>', 'pairs that occur less often are not merged', integer)
    .option('--special <token...>', 'special tokens, the first ids', [])
    .requiredOption('--out <file>', 'the tokenizer.json to write')
    .option('--json', 'print JSON')
    .action((files: string[], options: Options) => train(files, options));
}

async function train(files: readonly string[], options: Options): Promise<void> {
  const out = output(options.json ?? false);
  const { kind, vocabSize, minFrequency, special } = options;
  if (minFrequency !== undefined && !merges.includes(kind)) {
    throw new InputError(
      `--min-frequency is given for --kind ${kind}, which merges no pairs; expected --kind ${merges.join(', ')}`,
    );
  }
  await checkOutFile('--out', options.out);
  const bar = progress(out, vocabSize, 0);
  const controller = new AbortController();
  const stop = () => controller.abort(new Error('stopped; nothing is written'));
  process.once('SIGINT', stop);
  let tokenizer: Tokenizer;
  try {
    tokenizer = await trainings[kind](linesOf(files), {
      vocabSize,
      ...(minFrequency === undefined ? {} : { minFrequency }),
      ...(special.length > 0 ? { specialTokens: special } : {}),
      onProgress: (done, total) => bar.update(Math.floor((done / total) * vocabSize), 'tokens'),
      signal: controller.signal,
    });
  } finally {
    bar.stop();
    process.off('SIGINT', stop);
  }
  await saveTokenizer(tokenizer, options.out);
  out.emit({ out: options.out, kind, vocabSize: tokenizer.vocabSize });
  out.say(`${options.out}: ${kind}, ${tokenizer.vocabSize} tokens`);
}

/** The lines of files, each with its line feed. */
async function* linesOf(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files) {
    const input = Readable.from(decoded(file));
    try {
      for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
        yield `${line}\n`;
      }
    } catch (error) {
      if (error instanceof FileError) throw error;
      const { message } = error as Error;
      throw new FileError(file, `cannot be read: ${message}`, { cause: error });
    }
  }
}

/** The text of a file, in parts. */
async function* decoded(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const text = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw new FileError(file, 'is not UTF-8');
    }
  };
  for await (const chunk of createReadStream(file)) yield text(chunk as Uint8Array);
  yield text();
}
