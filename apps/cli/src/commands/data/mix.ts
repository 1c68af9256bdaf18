import { createHash } from 'node:crypto';
import { dirname, join, relative, resolve } from 'node:path';
import { InputError } from '@headwise/core';
import {
  type CurriculumStage,
  type MixtureSettings,
  mixtureWeights,
  parseMixture,
  type SourceSettings,
  type TokenShards,
} from '@headwise/data';
import { openShards } from '@headwise/data/node';
import { readBytes, writeFile } from '@headwise/files';
import { Command, InvalidArgumentError, Option } from 'commander';
import { output } from '../../output.js';
import { readPipeline, refuseSaid } from './pipeline.js';
import { shareOf, shownPath } from './run.js';

interface Options {
  out?: string;
  pipeline?: string;
  by?: 'weight' | 'tokens' | 'epochs';
  temperature?: number;
  curriculum?: CurriculumStage[];
  json?: boolean;
}

/** `headwise data mix`: a mixture of shards, as a file that `headwise train` reads. */
export function mixCommand(): Command {
  return new Command('mix')
    .description('write a mixture of shards, which train reads as data.mixture')
    .argument('[sources...]', 'folders of shards: DIR, or DIR=NUMBER with how much of it is drawn')
    .option('--out <file>', 'the mixture file')
    .option('--pipeline <file>', "a pipeline file, whose 'mix' says all of it")
    .addOption(
      new Option(
        '--by <what>',
        'what numbers are: weights, or budgets in tokens or epochs; default weight',
      ).choices(['weight', 'tokens', 'epochs']),
    )
    .option('--temperature <t>', 'of sources without numbers: tokens^(1/t); default 1', positive)
    .option('--curriculum <stages>', 'shorter rows at first: STEPS:LENGTH,…', stages)
    .option('--json', 'print the mixture as JSON')
    .action(async (given: string[], { json: isJson = false, ...options }: Options) => {
      const { file, sources: asked, temperature, curriculum } = await mixtureOf(given, options);
      const out = output(isJson);
      const opened: TokenShards[] = [];
      const sources: object[] = [];
      for (const { shards: folder, ...amount } of asked) {
        const shards = await openShards(folder);
        shards.checkTokenizer(
          opened[0]?.manifest.tokenizer ?? shards.manifest.tokenizer,
          opened[0]?.name ?? '',
        );
        opened.push(shards);
        const manifest = await readBytes(join(folder, 'shards.json'));
        sources.push({
          shards: relative(dirname(resolve(file)), resolve(folder)) || '.',
          sha256: createHash('sha256').update(manifest).digest('hex'),
          ...amount,
        });
      }
      const json = {
        sources,
        ...(temperature && { temperature }),
        ...(curriculum && { curriculum }),
      };
      const settings = parseMixture(json, 'the mixture');
      const sizes = opened.map(({ length }) => length);
      const { weights, budget } = mixtureWeights(settings, sizes);
      await writeFile(file, `${JSON.stringify(json, null, 2)}\n`);
      const sum = weights.reduce((total, weight) => total + weight, 0);
      const rows = opened.map(({ name, length }, i) => {
        const share = weights[i]! / sum;
        const epochs = ((budget ?? 1e9) * share) / length;
        return { source: name, tokens: length, share, epochs };
      });
      out.emit({ file, ...settings, budget, rows });
      const most = budget === undefined ? 'passes in 1e9' : 'passes';
      out.say(
        `${''.padEnd(32)}${'tokens'.padStart(14)}${'drawn'.padStart(10)}${most.padStart(16)}`,
      );
      for (const { source, tokens, share, epochs } of rows) {
        out.say(
          `${shownPath(source).padEnd(32)}${String(tokens).padStart(14)}${shareOf(share, 1).padStart(10)}${epochs.toFixed(2).padStart(16)}`,
        );
      }
      out.say(`${shownPath(file)}: give it to headwise train as data.mixture`);
    });
}

/** The mixture that the command line says, or the `mix` of a pipeline file, whose source is its own shards unless it names others. */
async function mixtureOf(
  given: string[],
  { pipeline, out, by, temperature, curriculum }: Options,
): Promise<MixtureSettings & { file: string }> {
  if (pipeline === undefined) {
    if (given.length === 0 || out === undefined) {
      throw new InputError(
        `${out === undefined ? '--out is missing' : 'the sources are missing'}; expected sources and --out, or --pipeline`,
      );
    }
    const sources = given.map((each) => sourceOf(each, by ?? 'weight'));
    return { file: out, sources, temperature, curriculum };
  }
  refuseSaid(pipeline, given, { out, by, temperature, curriculum });
  const { mix, tokenize } = await readPipeline(pipeline);
  if (!mix) throw new InputError(`${pipeline}: 'mix' is missing; expected what data mix does`);
  const { out: file, ...settings } = mix;
  const sources = mix.sources ?? (tokenize ? [{ shards: tokenize.out }] : []);
  return { file, ...parseMixture({ ...settings, sources }, `${pipeline}: mix`) };
}

function sourceOf(given: string, by: 'weight' | 'tokens' | 'epochs'): SourceSettings {
  const at = given.lastIndexOf('=');
  if (at < 0) return { shards: given };
  const amount = Number(given.slice(at + 1));
  if (!(amount > 0) || at === 0) {
    throw new InputError(`'${given}' is not a source; expected DIR, or DIR=NUMBER above 0`);
  }
  return { shards: given.slice(0, at), [by]: amount };
}

function positive(text: string): number {
  if (!(Number(text) > 0)) throw new InvalidArgumentError(`'${text}' is not a number above 0.`);
  return Number(text);
}

function stages(text: string): CurriculumStage[] {
  return text.split(',').map((stage) => {
    const [, steps, length] = /^(\d+):(\d+)$/.exec(stage) ?? [];
    if (!steps) throw new InvalidArgumentError(`'${stage}' is not STEPS:LENGTH.`);
    return { steps: Number(steps), length: Number(length) };
  });
}
