import { join } from 'node:path';
import { InputError } from '@headwise/core';
import { findDocuments, openShards } from '@headwise/data/node';
import { loadTokenizer } from '@headwise/tokenizers/node';
import { Command } from 'commander';
import { integer } from '../../numbers.js';
import { colors, output } from '../../output.js';
import { inputsToRead } from './pipeline.js';
import { pathOf, shardsIn } from './stats.js';

interface Options {
  pipeline?: string;
  index?: number;
  id?: string;
  random?: number;
  count: number;
  json?: boolean;
}

/** A document of files or shards; those of shards have tokens. */
interface Shown {
  number: number;
  text: string;
  tokens?: number;
  id?: string;
  meta?: object;
}

/** `headwise data show`: documents as they are, of shards decoded. */
export function showCommand(): Command {
  return new Command('show')
    .description('print documents by number, id or chance; those of shards are decoded')
    .argument(
      '[inputs...]',
      'files, folders, globs and addresses of documents, or one folder of shards',
    )
    .option(
      '--pipeline <file>',
      'instead: a pipeline file, of which the last stage that has ended is read',
    )
    .option('--index <n>', 'the number of the first, counted from 0; default 0', whole)
    .option('--id <id>', 'the document with this id')
    .option('--random <seed>', 'documents drawn with this seed', whole)
    .option('--count <n>', 'how many', integer, 1)
    .option('--json', 'print a JSON object a line')
    .action(async (given: string[], options: Options) => {
      const { index, id, random, count, json = false } = options;
      const [one, other] = Object.entries({ index, id, random }).filter(
        ([, value]) => value !== undefined,
      );
      if (other) throw new InputError(`--${one![0]} and --${other[0]} are given; leave one out`);
      const inputs = await inputsToRead(given, options.pipeline);
      const shards = shardsIn(inputs);
      if (shards !== undefined && (inputs.length > 1 || id !== undefined)) {
        throw new InputError(
          `${shards}: is a folder of shards, which keep no ids; expected as the only input, with --index or --random`,
        );
      }
      const found: Shown[] = shards
        ? await ofShards(shards, options)
        : await findDocuments(inputs, { index: index ?? 0, id, random, count });
      const wanted = id === undefined ? `document ${index ?? 0}` : `document with the id ${id}`;
      if (found.length === 0)
        throw new InputError(`${inputs.map(pathOf).join(', ')}: has no ${wanted}`);
      const out = output(json);
      for (const document of found) {
        out.emit(document);
        const { number, text, tokens, ...meta } = document;
        const size = `${Buffer.byteLength(text)} bytes${tokens ? `, ${tokens} tokens` : ''}`;
        out.say(colors.bold(`document ${number}  ${size}  ${JSON.stringify(meta)}`));
        out.say(`${text}\n`);
      }
    });
}

async function ofShards(folder: string, { index = 0, random, count }: Options): Promise<Shown[]> {
  const shards = await openShards(folder);
  const tokenizer = await loadTokenizer(join(folder, 'tokenizer.json'));
  const { documents } = shards.manifest;
  const order = random === undefined ? undefined : shards.order(random);
  const found: Shown[] = [];
  const first = order ? 0 : index;
  for (let place = first; place < Math.min(documents, first + count); place++) {
    const number = order ? order(place) : place;
    const ids = await shards.document(number);
    const text = tokenizer.decode(ids, { skipSpecialTokens: false });
    found.push({ number, text, tokens: ids.length });
  }
  return found;
}

function whole(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0) {
    throw new InputError(`'${text}' is not a whole number of at least 0`);
  }
  return value;
}
