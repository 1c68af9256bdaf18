import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkOneOf, InputError, quoted } from '@headwise/core';
import {
  choicesJudge,
  constitutionJudge,
  type Judge,
  longerAnswer,
  type MakePrompts,
  matchingAnswer,
  principles as ours,
  type PromptModel,
  type Reward,
  revisionJudge,
  rewardJudge,
  rightAnswer,
  shorterAnswer,
} from '@headwise/prompting';
import { readText } from '../../read-text.js';
import { patternOf } from './pattern.js';

/** Who prefers answers. */
export const judges = ['rule', 'reward', 'constitution', 'revision', 'choices'] as const;

/** The options that say who judges, and how. */
export interface JudgeFlags {
  judge: string;
  rule?: string;
  pattern?: string;
  reward?: string;
  constitution?: string;
  revisions?: number;
}

/** The option that belongs to a judge alone, where it has one. */
const optionsOf: Readonly<Record<(typeof judges)[number], readonly (keyof JudgeFlags)[]>> = {
  rule: ['rule', 'pattern'],
  reward: ['reward'],
  constitution: ['constitution'],
  revision: ['constitution', 'revisions'],
  choices: [],
};

/** @throws InputError for a judge that does not exist, and for options that it does not have or lacks */
export function checkJudge(flags: JudgeFlags): void {
  checkOneOf('--judge', flags.judge, judges);
  const own = optionsOf[flags.judge];
  const all = [...new Set(Object.values(optionsOf).flat())];
  const strange = all.find((name) => flags[name] !== undefined && !own.includes(name));
  if (strange !== undefined) {
    throw new InputError(
      `--${strange} is given for --judge ${flags.judge}, which does not take it`,
    );
  }
  for (const name of ['rule', 'reward'] as const) {
    if (flags.judge === name && flags[name] === undefined) {
      throw new InputError(`--${name} is missing; expected it with --judge ${name}`);
    }
  }
}

/**
 * The judge of the flags.
 *
 * @param model that judges; undefined for the one that writes
 * @throws InputError as `checkJudge`, and for a file that has no reward
 */
export async function judgeOf(
  flags: JudgeFlags,
  { model, prompts }: { model: PromptModel | undefined; prompts: MakePrompts },
): Promise<Judge> {
  checkJudge(flags);
  const principles = await principlesOf(flags.constitution);
  switch (flags.judge as (typeof judges)[number]) {
    case 'rule':
      return ruleJudge(flags.rule!, flags.pattern);
    case 'reward':
      return fileJudge(flags.reward!);
    case 'constitution':
      return constitutionJudge({ principles, model, prompts });
    case 'revision':
      return revisionJudge({ principles, model, prompts, rounds: flags.revisions });
    case 'choices':
      return choicesJudge();
  }
}

/** `shorter`, `longer`, `matches` with `--pattern`, or `equals:KEY`. */
function ruleJudge(rule: string, given: string | undefined): Judge {
  const pattern = given === undefined ? undefined : patternOf('--pattern', given);
  const name = `rule ${[rule, ...(pattern ? [String(pattern)] : [])].join(' ')}`;
  const [kind, key] = [rule.split(':')[0]!, rule.split(':').slice(1).join(':')];
  if (kind === 'equals' && key !== '') return rewardJudge(name, rightAnswer(key, pattern));
  if (rule === 'matches') {
    if (pattern) return rewardJudge(name, matchingAnswer(pattern));
    throw new InputError('--pattern is missing; expected it with --rule matches');
  }
  const simple = ({ shorter: shorterAnswer, longer: longerAnswer } as Record<string, Reward>)[rule];
  if (!simple) {
    throw new InputError(
      `--rule is '${rule}'; expected shorter, longer, matches with --pattern, or equals:KEY with a key of the rows`,
    );
  }
  if (pattern)
    throw new InputError(`--pattern is given for --rule ${rule}, which does not take it`);
  return rewardJudge(name, simple);
}

/** A reward function of one's own: what a module exports as `reward`, or by default. */
async function fileJudge(path: string): Promise<Judge> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new InputError(`--reward ${path} cannot be read: ${error.message}`, { cause: error });
  });
  const loaded = await import(pathToFileURL(resolve(path)).href).catch(
    (error: NodeJS.ErrnoException) => {
      const older =
        error.code === 'ERR_UNKNOWN_FILE_EXTENSION'
          ? `; TypeScript needs Node.js 22.18 or later, and this is ${process.version}`
          : '';
      throw new InputError(`--reward ${path} cannot be loaded: ${error.message}${older}`, {
        cause: error,
      });
    },
  );
  const { reward = loaded.default } = loaded as { reward?: unknown; default?: unknown };
  if (typeof reward !== 'function') {
    throw new InputError(
      `--reward ${path}: 'reward' is ${quoted(reward)}; expected a function of instruction, answer and data that gives a number`,
    );
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { ...rewardJudge(`reward ${basename(path)}`, reward as Reward), settings: { sha256 } };
}

/** The principles of a text file, one a line; lines that begin with # are left out. */
async function principlesOf(path: string | undefined): Promise<readonly string[]> {
  if (path === undefined) return ours;
  const lines = (await readText('--constitution', path)).split('\n').map((line) => line.trim());
  const principles = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (principles.length > 0) return principles;
  throw new InputError(`--constitution ${path}: holds no principle; expected one a line`);
}
