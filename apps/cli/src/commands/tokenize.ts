import { loadTokenizer } from '@headwise/tokenizers/node';
import { Command } from 'commander';
import { output } from '../output.js';
import { readStandardInput } from '../read-text.js';

interface Options {
  tokenizer: string;
  text?: string;
  offsets?: boolean;
  json?: boolean;
}

/** `headwise tokenize`: the tokens of a text. */
export function tokenizeCommand(): Command {
  return new Command('tokenize')
    .requiredOption('--tokenizer <path>', 'a tokenizer.json, or a folder that holds one')
    .option('--text <text>', 'the text; default standard input')
    .option(
      '--offsets',
      'print a line for each token: its id, where it lies in the text, and itself',
    )
    .option('--json', 'print JSON: ids, tokens, offsets')
    .addHelpText('after', '\nOffsets count UTF-16 code units, as JavaScript strings do.')
    .action(async (options: Options) => {
      const out = output(options.json ?? false);
      const tokenizer = await loadTokenizer(options.tokenizer);
      const text = options.text ?? (await readStandardInput());
      const { ids, tokens, offsets } = tokenizer.encode(text);
      out.emit({ ids, tokens, offsets });
      if (!options.offsets) out.say(ids.join(' '));
      else {
        ids.forEach((id, i) => {
          const [start, end] = offsets[i]!;
          out.say(`${id}\t${start}\t${end}\t${JSON.stringify(tokens[i])}`);
        });
      }
    });
}
