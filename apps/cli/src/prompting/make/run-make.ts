import { join } from 'node:path';
import { checkOneOf, InputError } from '@headwise/core';
import type { JsonValue } from '@headwise/data';
import {
  type MakeItem,
  type MakePrompts,
  makePrompts,
  type OwnPrompts,
  type PromptModel,
  type Recipe,
} from '@headwise/prompting';
import { type MakeProgress, type MakeReport, makeInFolder } from '@headwise/prompting/node';
import { findChatTemplate } from '@headwise/tokenizers/node';
import { type Command, Option } from 'commander';
import { integer, number } from '../../numbers.js';
import {
  commandName,
  duration,
  type Output,
  output,
  type Progress,
  progress,
} from '../../output.js';
import { readText } from '../../read-text.js';
import { addPromptModelFlags, openPromptModel, type PromptModelFlags } from '../model.js';
import { stoppable } from '../stoppable.js';
import { addFilterFlags, type FilterFlags, filtersOf } from './filters.js';

/** The options of every `headwise prompt make`. */
export interface MakeFlags extends PromptModelFlags, FilterFlags {
  data: string;
  out: string;
  as?: 'chat' | 'text';
  prompts?: string;
  seed?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  minP?: number;
  maxNewTokens?: number;
  stop?: string[];
  tries?: number;
  together?: number;
  keepUnfinished?: boolean;
  judgeModel?: string;
  judgeUrl?: string;
  judgeName?: string;
  json?: boolean;
}

/** Adds the options of `MakeFlags`. */
export function addMakeFlags(command: Command, data: string): Command {
  command
    .requiredOption('--data <file>', data)
    .requiredOption('--out <dir>', 'the folder for examples.jsonl, left-out.jsonl and report.json')
    .addOption(
      new Option(
        '--as <form>',
        'prompts as chats, or as texts that a base model goes on with; default chat where the model has a chat template',
      ).choices(['chat', 'text']),
    )
    .option('--prompts <file>', 'JSON with prompts of your own by name, in place of some of ours')
    .option('--seed <n>', 'the same seed, model and backend make the same rows; default 0', integer)
    .option('--temperature <t>', 'of what is written, not of judges; default 0.7', number)
    .option('--top-p <p>', 'draw from the likeliest tokens that together have this', number)
    .option('--top-k <k>', 'draw from the k most likely tokens', integer)
    .option('--min-p <p>', 'draw from tokens at least this many times as likely', number)
    .option('--max-new-tokens <n>', 'of an answer at most; default 256', integer)
    .option('--stop <texts...>', 'texts that end an answer, such as "\\n\\n"')
    .option(
      '--tries <n>',
      'answers that are asked for until one has its form; default 3, then the item is left out',
      integer,
    )
    .option('--keep-unfinished', 'keep answers that reached --max-new-tokens before their end')
    .option('--together <n>', 'items that are worked on at a time; default 32', integer);
  addFilterFlags(command);
  return addPromptModelFlags(command)
    .option('--json', 'print JSON lines: progress, done')
    .addHelpText(
      'after',
      '\nA run that was killed goes on when called again, and ends with the same bytes. Each row says under "made" where it comes from.',
    );
}

/** Adds the options that name another model to judge than the one that writes. */
export function addJudgeModelFlags(command: Command): Command {
  return command
    .option(
      '--judge-model <dir>',
      'the folder of the model that judges; default the one that writes',
    )
    .option('--judge-url <address>', 'in its place, a server')
    .option('--judge-name <name>', 'what that server calls the model');
}

/** What a recipe is made from. */
export interface MakeSources {
  readonly prompts: MakePrompts;
  readonly as: 'text' | 'messages';
  /** The model that judges; undefined for the one that writes. */
  readonly judge: PromptModel | undefined;
}

/** A recipe, and which file its items were read from. */
export interface MadeOf {
  readonly recipe: Recipe<MakeItem>;
  readonly source: JsonValue;
  /** The method of `finetune` that learns from its rows. */
  readonly method?: string | undefined;
}

/** Makes examples by a recipe, from opening the model to the report. */
export async function runMake(
  flags: MakeFlags,
  recipeOf: (sources: MakeSources) => Promise<MadeOf>,
): Promise<void> {
  const out = output(flags.json ?? false);
  if (flags.out === '') throw new InputError("--out is ''; expected the name of a folder");
  const tries = flags.tries ?? 3;
  if (tries < 1) throw new InputError(`--tries is ${tries}; expected at least 1`);
  const filters = await filtersOf(flags);
  const as = await formOf(flags);
  const prompts = makePrompts(as, await ownPrompts(flags.prompts));
  const opened = await openPromptModel(flags, out);
  const judging = await openJudge(flags, out);
  try {
    const judge = judging && { ...judging.model, revision: judging.revision };
    const { recipe, source, method } = await recipeOf({ prompts, as, judge });
    const model = { ...opened.model, revision: opened.revision };
    const report = await stoppable(out, 'the same command goes on from there', async (signal) => {
      const shown = new Shown(out);
      try {
        return await makeInFolder(flags.out, recipe, {
          ...{ model, source, filters, signal, retries: tries - 1 },
          seed: flags.seed,
          temperature: flags.temperature,
          maxNewTokens: flags.maxNewTokens,
          keepUnfinished: flags.keepUnfinished,
          together: flags.together,
          options: generationOf(flags, as),
          onProgress: (now) => shown.update(now),
        });
      } finally {
        shown.stop();
      }
    });
    if (!report) return;
    showReport(out, flags, report, method);
  } finally {
    opened.dispose();
    judging?.dispose();
  }
}

/** Messages where the model has a chat template, or is behind a server. */
async function formOf({ as, model }: MakeFlags): Promise<'text' | 'messages'> {
  if (as !== undefined) return as === 'chat' ? 'messages' : 'text';
  if (model === undefined) return 'messages';
  return (await findChatTemplate(model)) ? 'messages' : 'text';
}

function generationOf({ topP, topK, minP, stop, prompts }: MakeFlags, as: 'text' | 'messages') {
  // A model of texts goes on with another instruction in Alpaca's form, in which our prompts are.
  const own = as === 'text' && prompts === undefined ? '\n###' : undefined;
  const given = { topP, topK, minP, stop: stop?.map(unescaped) ?? own };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** A text of the command line, in which `\n` and `\t` stand for a line end and a tab. */
const unescaped = (text: string): string =>
  text.replace(/\\([nt\\])/g, (_, letter: string) => ({ n: '\n', t: '\t' })[letter] ?? letter);

async function ownPrompts(path: string | undefined): Promise<OwnPrompts> {
  if (path === undefined) return {};
  const text = await readText('--prompts', path);
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  } catch (error) {
    throw new InputError(`--prompts ${path} is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  throw new InputError(`--prompts ${path}: expected an object with prompts by their names`);
}

async function openJudge(flags: MakeFlags, out: Output) {
  const { judgeModel, judgeUrl, judgeName } = flags;
  if (judgeModel === undefined && judgeUrl === undefined) {
    if (judgeName === undefined) return undefined;
    throw new InputError('--judge-name is given without --judge-url; expected both or neither');
  }
  const { generationConfig, dtype, backend, keyVariable, retries, timeout, ...rest } = flags;
  const { concurrent, requestsPerMinute } = rest;
  const server = { keyVariable, retries, timeout, concurrent, requestsPerMinute };
  return openPromptModel(
    {
      ...{ generationConfig, dtype },
      ...(judgeModel === undefined ? {} : { model: judgeModel }),
      ...(judgeUrl === undefined ? {} : { url: judgeUrl }),
      ...(judgeName === undefined ? {} : { name: judgeName }),
      ...(judgeUrl === undefined ? { backend } : server),
    } as PromptModelFlags,
    out,
  );
}

/** How far a run is: a bar for each round, with the time that is left of it. */
class Shown {
  readonly #out: Output;
  #bar: Progress | undefined;
  #round = -1;
  #begun = { at: 0, done: 0, tokens: 0 };

  constructor(out: Output) {
    this.#out = out;
  }

  update({ round, items, done, kept, leftOut, tokens }: MakeProgress): void {
    const now = performance.now() / 1000;
    if (round !== this.#round) {
      this.stop();
      if (round > 0) this.#out.say(`round      ${round + 1}`);
      this.#bar = progress(this.#out, items, done);
      this.#round = round;
      this.#begun = { at: now, done, tokens };
    }
    const { at, done: before, tokens: already } = this.#begun;
    const seconds = now - at;
    const made = done - before;
    const left = made > 0 ? ((items - done) * seconds) / made : undefined;
    const speed = seconds > 0 ? (tokens - already) / seconds : 0;
    this.#out.emit({
      event: 'progress',
      round,
      items,
      done,
      kept,
      leftOut,
      tokens,
      secondsLeft: left,
    });
    const eta = left === undefined ? '' : `, ${duration(left)} left`;
    this.#bar!.update(
      done,
      `${kept} kept, ${leftOut} left out, ${speed.toFixed(0)} tokens/s${eta}`,
    );
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

function showReport(
  out: Output,
  { out: folder, model = 'MODEL' }: MakeFlags,
  report: MakeReport,
  method: string | undefined,
): void {
  const { items, kept, leftOut, rules, promptTokens, answerTokens } = report;
  out.emit({ event: 'done', folder, ...report });
  out.say(`made       ${kept} examples of ${items} items; ${leftOut} left out`);
  const counts = Object.entries(rules).sort(([, a], [, b]) => b - a);
  if (counts.length > 0) {
    out.say(`left out   ${counts.map(([rule, count]) => `${count} ${rule}`).join(', ')}`);
  }
  out.say(`tokens     ${promptTokens} read, ${answerTokens} written`);
  out.say(
    `files      ${join(folder, 'examples.jsonl')}, left-out.jsonl, report.json, journal.jsonl`,
  );
  if (kept === 0) {
    out.note('headwise: no example was kept; left-out.jsonl says why');
    return;
  }
  if (method === undefined) return;
  const data = join(folder, 'examples.jsonl');
  out.say(
    `\nnext:\n  ${commandName()} finetune --model ${model} --data ${data} --method ${method} --out tuned`,
  );
}

/** @throws InputError naming the option */
export const checkChoice = <T extends string>(
  option: string,
  given: string,
  known: readonly T[],
): T => {
  checkOneOf(option, given, known);
  return given as T;
};
