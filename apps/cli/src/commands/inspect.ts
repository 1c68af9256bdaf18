import { readFile, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { InputError, isEncoder } from '@headwise/core';
import { type LoadedModel, languageModel } from '@headwise/models';
import { folderFiles, loadModel } from '@headwise/models/node';
import { sentenceSettings } from '@headwise/text/internal';
import { embed, loadTokenizerOf } from '@headwise/text/node';
import type { Tokenizer } from '@headwise/tokenizers';
import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { checkOutFile } from '../out-file.js';
import { output } from '../output.js';
import { findingsOfEncoder } from '../report/encoder-findings.js';
import { type Compared, type Findings, findingsOf } from '../report/findings.js';
import { reportPage } from '../report/page.js';

interface InspectOptions {
  model: string;
  text: string;
  against: string[];
  out: string;
  backend?: string;
  json?: boolean;
}

/** `headwise inspect`: a page that shows what a model does with a text. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .requiredOption('--model <dir>', 'a model folder or a GGUF file')
    .requiredOption('--text <text>', 'what the model reads')
    .option(
      '--against <text>',
      "a text whose vector is compared with the text's, by an encoder; repeatable",
      (text: string, before: string[]) => [...before, text],
      [],
    )
    .requiredOption('--out <file>', 'the page to write, a .html file')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON: file, tokens, layers, scores of every head, and cosines')
    .action(async (options: InspectOptions) => {
      const out = output(options.json ?? false);
      const backend = backendOption(options.backend);
      const tokenizer = await loadTokenizerOf(options.model);
      await checkOutFile('--out', options.out);
      await checkModelFolder(options.model);
      await start(out, backend);
      const model = await loadModel(options.model);
      const { tokens, found } = await lookInto(model, tokenizer, options).finally(() =>
        model.params.dispose(),
      );
      const page = reportPage(found, {
        name: basename(resolve(options.model)),
        family: model.family.modelType,
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
        tokens: found.ids.length,
        layers: found.maps.length,
        scores: found.scores,
        ...(found.compared ? { compared: found.compared } : {}),
      });
      out.say(`${options.out}: ${found.ids.length} tokens, ${found.maps.length} layers`);
    });
}

/**
 * What is found in a decoder, or in an encoder.
 *
 * @throws InputError for an encoder-decoder, and for texts to compare where the model is a decoder
 */
async function lookInto(
  model: LoadedModel,
  tokenizer: Tokenizer,
  { model: folder, text, against }: InspectOptions,
): Promise<{ tokens: string[]; found: Findings }> {
  const { network } = model;
  const { ids, tokens, special } = tokensOf(tokenizer, text);
  if (!isEncoder(network)) {
    const decoder = languageModel(model);
    if (against.length > 0) {
      throw new InputError('--against compares vectors of an encoder; the model is a decoder');
    }
    return { tokens, found: await findingsOf(decoder.network, ids) };
  }
  const maskId = tokenizer.tokenToId('[MASK]') ?? tokenizer.tokenToId('<mask>');
  const found = await findingsOfEncoder(network, { ids, special, maskId });
  if (against.length === 0) return { tokens, found };
  const embedding = await sentenceSettings(folderFiles(folder));
  const compared = await comparedTo({ network, embedding }, tokenizer, text, against);
  return { tokens, found: { ...found, compared } };
}

/** The cosines of a text's vector with those of others. */
async function comparedTo(
  model: Parameters<typeof embed>[0],
  tokenizer: Tokenizer,
  text: string,
  others: readonly string[],
): Promise<Compared[]> {
  const [own, ...vectors] = await embed(model, tokenizer, [text, ...others], { normalize: true });
  return others.map((other, n) => ({
    text: other,
    cosine: vectors[n]!.reduce((sum, x, i) => sum + x * own![i]!, 0),
  }));
}

/** The ids of a text, what each stands for in it, and which were added around it. */
function tokensOf(
  tokenizer: Tokenizer,
  text: string,
): { ids: number[]; tokens: string[]; special: number[] } {
  const { ids, offsets, specialTokensMask } = tokenizer.encode(text);
  // A special token is at no place in the text.
  const tokens = ids.map((id, i) => text.slice(...offsets[i]!) || textOf(tokenizer, id));
  return { ids: [...ids], tokens, special: specialTokensMask };
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
