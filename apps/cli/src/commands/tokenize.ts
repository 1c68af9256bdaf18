import { readFileSync } from 'node:fs';
import { loadTokenizer } from '@headwise/tokenizers/node';
import { Command } from 'commander';
import { output } from '../output.js';

/** `headwise tokenize`: the tokens of a text. */
export function tokenizeCommand(): Command {
  return new Command('tokenize')
    .description('split a text, from --text or standard input, into tokens')
    .requiredOption('--tokenizer <file>', 'a tokenizer.json')
    .option('--text <text>', 'the text; default standard input')
    .option('--json', 'print JSON: ids, tokens, offsets')
    .action(async (options: { tokenizer: string; text?: string; json?: boolean }) => {
      const out = output(options.json ?? false);
      const tokenizer = await loadTokenizer(options.tokenizer);
      const text = options.text ?? readFileSync(0, 'utf8');
      const { ids, tokens, offsets } = tokenizer.encode(text);
      out.emit({ ids, tokens, offsets });
      out.say(ids.join(' '));
    });
}
