import { readFile, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { InputError } from '@headwise/core';
import { languageModel } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { loadTokenizerOf } from '@headwise/text/node';
import type { Tokenizer } from '@headwise/tokenizers';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { checkOutFile } from '../out-file.js';
import { output } from '../output.js';
import { findingsOf } from '../report/findings.js';
import { reportPage } from '../report/page.js';

interface InspectOptions {
  model: string;
  text: string;
  out: string;
  backend?: string;
  json?: boolean;
}

/** `headwise inspect`: a page that shows what a model does with a text. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .requiredOption('--model <dir>', 'a model folder or a GGUF file')
    .requiredOption('--text <text>', 'what the model reads')
    .requiredOption('--out <file>', 'the page to write, a .html file')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON: file, tokens, layers, scores of every head')
    .action(async (options: InspectOptions) => {
      const out = output(options.json ?? false);
      const backend = backendOption(options.backend);
      const tokenizer = await loadTokenizerOf(options.model);
      await checkOutFile('--out', options.out);
      await checkModelFolder(options.model);
      await start(out, backend);
      const { network, params, family } = languageModel(await loadModel(options.model));
      const { ids, tokens } = tokensOf(tokenizer, options.text);
      const found = await findingsOf(network, ids);
      params.dispose();
      const page = reportPage(found, {
        name: basename(resolve(options.model)),
        family: family.modelType,
        text: options.text,
        tokens,
        tokenOf: (id) => textOf(tokenizer, id),
        script: await clientScript(),
      });
      await writeFile(options.out, page).catch((error: Error) => {
        throw new InputError(`${options.out}: cannot be written: ${error.message}`);
      });
      out.emit({
        file: options.out,
        tokens: ids.length,
        layers: found.maps.length,
        scores: found.scores,
      });
      out.say(`${options.out}: ${ids.length} tokens, ${found.maps.length} layers`);
    });
}

/** The ids of a text, and what each stands for in it. */
function tokensOf(tokenizer: Tokenizer, text: string): { ids: number[]; tokens: string[] } {
  const { ids, offsets } = tokenizer.encode(text);
  // A special token is at no place in the text.
  const tokens = ids.map((id, i) => text.slice(...offsets[i]!) || textOf(tokenizer, id));
  return { ids: [...ids], tokens };
}

/** The text of a token; the id where the tokenizer has none for it, as in padded vocabularies. */
function textOf(tokenizer: Tokenizer, id: number): string {
  if (tokenizer.idToToken(id) === undefined) return `[${id}]`;
  return tokenizer.decode([id], { skipSpecialTokens: false });
}

/** The script of the page as the build left it beside this file's folder. */
async function clientScript(): Promise<string> {
  const script = await readFile(new URL('../report/client.js', import.meta.url), 'utf8');
  return script.replace(/^\/\/# sourceMappingURL=.*$/m, '');
}
