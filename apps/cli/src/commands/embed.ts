import { InputError } from '@headwise/core';
import { readExamples } from '@headwise/data';
import { writeFile } from '@headwise/files';
import type { WeightDtype } from '@headwise/models';
import { type EmbedOptions, embed, loadEmbeddingModel } from '@headwise/text/node';
import { Command } from 'commander';
import { checkAdapterFolder, withAdapter } from '../adapter.js';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { integer } from '../numbers.js';
import { checkOutFile } from '../out-file.js';
import { output } from '../output.js';
import { readData } from '../read-data.js';
import { dtypeOption } from '../weights.js';

interface EmbedCommandOptions {
  model: string;
  adapter?: string;
  data: string;
  out?: string;
  pooling?: EmbedOptions['pooling'];
  normalize?: boolean;
  dimensions?: number;
  prompt?: string;
  promptName?: string;
  truncate?: boolean;
  dtype?: WeightDtype | undefined;
  backend?: string;
}

/** Texts that are embedded before their lines are written. */
const textsAtOnce = 256;

/** `headwise embed`: writes the vectors of texts as JSON lines. */
export function embedCommand(): Command {
  return new Command('embed')
    .requiredOption('--model <dir>', 'the folder of an encoder, a decoder or a sentence model')
    .option('--adapter <dir>', 'a LoRA adapter in the layout of PEFT')
    .option('--data <file>', "JSON lines or Parquet with 'text'; - is standard input", '-')
    .option('--out <file>', 'where the lines go; default standard output')
    .option('--pooling <kind>', "how states become a vector; default the folder's, or mean")
    .option('--normalize', "divide each vector by its length; default the folder's")
    .option('--no-normalize', 'leave vectors as they are pooled')
    .option('--dimensions <n>', 'keep this many of the first components', integer)
    .option('--prompt <text>', 'stands before each text')
    .option('--prompt-name <name>', "one of the folder's prompts")
    .option('--truncate', "cut off what is beyond the model's context; default an error")
    .addOption(dtypeOption())
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .addHelpText('after', '\nA line a text, in their order: {"text": …, "embedding": [numbers]}')
    .action(
      async ({ model: folder, adapter, data, out: file, ...options }: EmbedCommandOptions) => {
        // Standard output has the vectors alone.
        const out = output(true);
        const { dtype, backend: named, ...chosen } = options;
        const backend = backendOption(named);
        if (data === '-' && process.stdin.isTTY) {
          throw new InputError(
            'the texts are missing; give --data, or JSON lines on standard input',
          );
        }
        if (file !== undefined) await checkOutFile('--out', file);
        await checkModelFolder(folder);
        if (adapter !== undefined) await checkAdapterFolder(adapter);
        const name = data === '-' ? 'standard input' : data;
        const { examples, places } = await readExamples(await readData(data), name, ['text']);
        await start(out, backend);
        const { model: bare, tokenizer } = await loadEmbeddingModel(folder, { dtype });
        const model = adapter === undefined ? bare : await withAdapter(bare, adapter);
        const lines = async function* (): AsyncGenerator<Uint8Array> {
          for (let first = 0; first < examples.length; first += textsAtOnce) {
            const texts = examples.slice(first, first + textsAtOnce).map(({ text }) => text);
            const vectors = await embed(model, tokenizer, texts, chosen).catch((error: Error) => {
              throw placed(error, name, (n) => places[first + n]!);
            });
            const written = texts.map((text, n) => lineOf(text, vectors[n]!));
            yield new TextEncoder().encode(written.join(''));
          }
        };
        try {
          if (file === undefined) {
            for await (const chunk of lines()) process.stdout.write(chunk);
          } else await writeFile(file, lines());
        } finally {
          model.params.dispose();
        }
      },
    );
}

const lineOf = (text: string, vector: Float32Array): string =>
  `${JSON.stringify({ text, embedding: Array.from(vector) })}\n`;

/** An error of `embed` that names the line of a text in place of its number in the pass. */
function placed(error: Error, name: string, placeOf: (n: number) => number): Error {
  if (!(error instanceof InputError)) return error;
  const message = error.message.replace(
    /^texts\[(\d+)\]/,
    (_, n) => `${name}: example ${placeOf(Number(n))}`,
  );
  return new InputError(message.replace('truncate: true', '--truncate'), { cause: error });
}
