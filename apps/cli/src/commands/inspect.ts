import { readFile, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { InputError } from '@headwise/core';
import { loadModel } from '@headwise/models/node';
import { loadTokenizerOf } from '@headwise/text/node';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { integer } from '../numbers.js';
import { checkOutFile } from '../out-file.js';
import { output } from '../output.js';
import { readPicture } from '../read-picture.js';
import type { MapGroup } from '../report/findings.js';
import { lookInto, type Read, tokenText } from '../report/look-into.js';
import { reportPage } from '../report/page.js';

interface InspectOptions extends Omit<Read, 'source'> {
  text?: string;
  picture?: string;
  out: string;
  backend?: string;
  json?: boolean;
}

/** `headwise inspect`: a page that shows what a model does with a text. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .requiredOption('--model <dir>', 'a model folder or a GGUF file')
    .option('--text <text>', 'what the model reads')
    .option('--picture <file>', 'a PNG that the model reads, to write its caption')
    .option(
      '--against <text>',
      "a text whose vector is compared with the text's, by an encoder; repeatable",
      (text: string, before: string[]) => [...before, text],
      [],
    )
    .option(
      '--target <text>',
      'what an encoder-decoder is shown to write; default what it writes greedily',
    )
    .option(
      '--max-new-tokens <n>',
      'the most tokens that it writes where no target is given',
      integer,
      64,
    )
    .requiredOption('--out <file>', 'the page to write, a .html file')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option(
      '--json',
      'print JSON: file, tokens, layers, scores of every head, the target, and cosines',
    )
    .action(async (options: InspectOptions) => {
      const out = output(options.json ?? false);
      const backend = backendOption(options.backend);
      const source = await sourceOf(options);
      const tokenizer = await loadTokenizerOf(options.model);
      await checkOutFile('--out', options.out);
      await checkModelFolder(options.model);
      await start(out, backend);
      const model = await loadModel(options.model);
      const { texts, found, target } = await lookInto(model, tokenizer, {
        ...options,
        source,
      }).finally(() => model.params.dispose());
      const page = reportPage(found, {
        name: basename(resolve(options.model)),
        family: model.family.modelType,
        texts,
        tokenOf: (id) => tokenText(tokenizer, id),
        script: await clientScript(),
      });
      await writeFile(options.out, page).catch((error: Error) => {
        throw new InputError(`${options.out}: cannot be written: ${error.message}`);
      });
      const tokens = found.tokens.ids.length;
      const layers = found.groups.reduce((sum, { maps }) => sum + maps.length, 0);
      out.emit({
        ...{ file: options.out, tokens, layers, scores: found.groups.flatMap(meaningful) },
        ...(target === undefined ? {} : { target }),
        ...(found.compared ? { compared: found.compared } : {}),
      });
      out.say(`${options.out}: ${tokens} tokens, ${layers} layers`);
    });
}

/** @throws InputError where there is not one source; FileError for a picture that cannot be read */
async function sourceOf({ text, picture }: InspectOptions): Promise<Read['source']> {
  if (text !== undefined && picture !== undefined) {
    throw new InputError('--text and --picture are given; expected one of them');
  }
  if (text !== undefined) return { text };
  if (picture === undefined) {
    throw new InputError(
      '--text is missing; expected a text that the model reads, or --picture with a PNG',
    );
  }
  return { picture: await readPicture('--picture', picture), name: basename(picture) };
}

/** The scores of a group's heads, without those that say nothing of its maps. */
function meaningful({ scores, scoreNames }: MapGroup): Record<string, string | number>[] {
  return scores.map((score) => ({
    ...{ layer: score.layer, head: score.head },
    ...Object.fromEntries(scoreNames.map((name) => [name, score[name]])),
  }));
}

/** The script of the page as the build left it beside this file's folder. */
async function clientScript(): Promise<string> {
  const script = await readFile(new URL('../report/client.js', import.meta.url), 'utf8');
  return script.replace(/^\/\/# sourceMappingURL=.*$/m, '');
}
