import { InputError } from '@headwise/core';
import { readExamples } from '@headwise/data';
import { writeFile } from '@headwise/files';
import type { WeightDtype } from '@headwise/models';
import { loadReranker, rerank } from '@headwise/text/node';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { integer } from '../numbers.js';
import { checkOutFile } from '../out-file.js';
import { output } from '../output.js';
import { readData } from '../read-data.js';
import { dtypeOption } from '../weights.js';

interface RerankCommandOptions {
  model: string;
  query: string;
  data: string;
  out?: string;
  top?: number;
  truncate?: boolean;
  dtype: WeightDtype;
  backend?: string;
}

/** `headwise rerank`: writes texts by how well they answer a query, as JSON lines. */
export function rerankCommand(): Command {
  return new Command('rerank')
    .requiredOption('--model <dir>', 'the folder of a cross-encoder')
    .requiredOption('--query <text>', 'what the texts are ranked by')
    .option('--data <file>', "JSON lines or Parquet with 'text'; - is standard input", '-')
    .option('--out <file>', 'where the lines go; default standard output')
    .option('--top <n>', 'how many of the best are written; default all', integer)
    .option('--truncate', "cut off what is beyond the model's context; default an error")
    .addOption(dtypeOption())
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .addHelpText(
      'after',
      '\nA line a text, the best first: {"index": its number from 0, "score": …, "text": …}',
    )
    .action(async (options: RerankCommandOptions) => {
      // Standard output has the lines alone.
      const out = output(true);
      const { model: folder, query, data, out: file, top, truncate, dtype } = options;
      const backend = backendOption(options.backend);
      if (data === '-' && process.stdin.isTTY) {
        throw new InputError('the texts are missing; give --data, or JSON lines on standard input');
      }
      if (file !== undefined) await checkOutFile('--out', file);
      await checkModelFolder(folder);
      const name = data === '-' ? 'standard input' : data;
      const { examples, places } = await readExamples(await readData(data), name, ['text']);
      await start(out, backend);
      const { model, tokenizer } = await loadReranker(folder, { dtype });
      try {
        const texts = examples.map(({ text }) => text);
        const ranked = await rerank(model, tokenizer, query, texts, { truncate, topN: top }).catch(
          (error: Error) => {
            throw placed(error, name, (n) => places[n]!);
          },
        );
        const lines = ranked.map(({ index, score }) =>
          JSON.stringify({ index, score, text: texts[index] }),
        );
        const written = lines.map((line) => `${line}\n`).join('');
        if (file === undefined) process.stdout.write(written);
        else await writeFile(file, new TextEncoder().encode(written));
      } finally {
        model.params.dispose();
      }
    });
}

/** An error of `rerank` that names the line of a text, and options of the command line. */
function placed(error: Error, name: string, placeOf: (n: number) => number): Error {
  if (!(error instanceof InputError)) return error;
  const message = error.message
    .replace(/^texts\[(\d+)\]/, (_, n) => `${name}: example ${placeOf(Number(n))}`)
    .replace('truncate: true', '--truncate')
    .replace(/^topN/, '--top');
  return new InputError(message, { cause: error });
}
