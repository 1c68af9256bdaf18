import { InputError } from '@headwise/core';
import {
  backTranslation,
  evolvedInstructions,
  type MakeItem,
  preferenceMethods,
  preferences,
  type Recipe,
  responses,
  selfInstruct,
} from '@headwise/prompting';
import { Command } from 'commander';
import { integer, number } from '../../numbers.js';
import { checkJudge, type JudgeFlags, judgeOf, judges } from '../../prompting/make/judges.js';
import { readQueries, readSourceDocuments } from '../../prompting/make/read-rows.js';
import {
  addJudgeModelFlags,
  addMakeFlags,
  checkChoice,
  type MadeOf,
  type MakeFlags,
  type MakeSources,
  runMake,
} from '../../prompting/make/run-make.js';

/** `headwise prompt make`: training data made by models. */
export function makeCommand(): Command {
  return new Command('make')
    .description('make training data by a model, as JSON lines that finetune learns from')
    .addCommand(responsesCommand())
    .addCommand(instructionsCommand())
    .addCommand(preferencesCommand());
}

const queryRows =
  'the queries: JSON lines or Parquet with prompt, instruction or messages; - is standard input';

interface ResponsesFlags extends MakeFlags {
  answers?: number;
  grouped?: boolean;
}

function responsesCommand(): Command {
  const command = new Command('responses')
    .description('answers to given queries, for finetune --method sft')
    .option('--answers <n>', 'answers to each query; default 1', integer)
    .option('--grouped', 'a row a query with all its answers, to choose among');
  return addMakeFlags(command, queryRows).action(async (flags: ResponsesFlags) => {
    await runMake(flags, async ({ prompts: { task }, as }) => {
      const { items, source } = await readQueries(flags.data, as);
      const { answers, grouped } = flags;
      const recipe = responses(items, { task, answers, grouped });
      return { recipe: recipe as Recipe<MakeItem>, source, method: grouped ? undefined : 'sft' };
    });
  });
}

const instructionMethods = ['back-translation', 'evolve', 'self-instruct'] as const;

interface InstructionsFlags extends MakeFlags {
  method: string;
  minScore?: number;
  rounds?: number;
  shots?: number;
  count?: number;
  similarity?: number;
}

/** The options that belong to some methods alone. */
const ofMethods: Readonly<Record<string, readonly (keyof InstructionsFlags)[]>> = {
  'back-translation': ['minScore', 'rounds', 'shots', 'judgeModel', 'judgeUrl', 'judgeName'],
  evolve: ['rounds', 'judgeModel', 'judgeUrl', 'judgeName'],
  'self-instruct': ['count', 'rounds', 'similarity'],
};

function instructionsCommand(): Command {
  const command = new Command('instructions')
    .description('instructions with answers, for finetune --method sft')
    .option(
      '--method <name>',
      'back-translation: for given documents; evolve: given ones made harder; self-instruct: new ones like given ones',
      'back-translation',
    )
    .option('--min-score <n>', 'back-translation: the least score from 1 to 5; default 4', integer)
    .option(
      '--rounds <n>',
      'back-translation: default 1; evolve: default 4; self-instruct: at most, default 20',
      integer,
    )
    .option('--shots <n>', 'back-translation: pairs shown in later rounds; default 3', integer)
    .option('--count <n>', 'self-instruct: how many new instructions', integer)
    .option('--similarity <x>', 'self-instruct: ROUGE-L of what is left out; default 0.7', number);
  addMakeFlags(
    command,
    'documents as rows with text, or instructions as rows with instruction or prompt; - is standard input',
  );
  return addJudgeModelFlags(command).action(async (flags: InstructionsFlags) => {
    const method = checkChoice('--method', flags.method, instructionMethods);
    checkMethodFlags(method, flags);
    await runMake(flags, (sources) => instructionsOf(method, flags, sources));
  });
}

function checkMethodFlags(method: string, flags: InstructionsFlags): void {
  const all = [...new Set(Object.values(ofMethods).flat())];
  const strange = all.find(
    (name) => flags[name] !== undefined && !ofMethods[method]!.includes(name),
  );
  if (strange !== undefined) {
    const option = strange.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new InputError(`--${option} is given for --method ${method}, which does not take it`);
  }
  if (method === 'self-instruct' && flags.count === undefined) {
    throw new InputError('--count is missing; expected how many new instructions are wanted');
  }
}

async function instructionsOf(
  method: (typeof instructionMethods)[number],
  { data, rounds, minScore: least, shots, count, similarity }: InstructionsFlags,
  { prompts, judge, as }: MakeSources,
): Promise<MadeOf> {
  if (method === 'back-translation') {
    const { items, source } = await readSourceDocuments(data);
    const recipe = backTranslation(items, { prompts, judge, least, rounds, shots });
    return { recipe: recipe as Recipe<MakeItem>, source, method: 'sft' };
  }
  const { items, source } = await readQueries(data, as);
  const recipe =
    method === 'evolve'
      ? evolvedInstructions(items, { prompts, judge, rounds })
      : selfInstruct(
          items.map(({ instruction }) => instruction),
          { prompts, count: count!, rounds, similarity },
        );
  return { recipe: recipe as Recipe<MakeItem>, source, method: 'sft' };
}

interface PreferencesFlags extends MakeFlags, JudgeFlags {
  answers?: number;
  pairs: string;
  method: string;
}

function preferencesCommand(): Command {
  const command = new Command('preferences')
    .description('pairs of a preferred and a rejected answer, for finetune --method dpo or kto')
    .requiredOption('--judge <who>', judges.join(', '))
    .option('--answers <n>', 'answers to each query that has none; default 2', integer)
    .option('--pairs <which>', 'best-worst, or all of different worth', 'best-worst')
    .option('--method <name>', 'dpo, kto, or sft for the preferred answers alone', 'dpo')
    .option(
      '--rule <name>',
      'of rule: shorter, longer, matches, or equals:KEY with a key of the rows',
    )
    .option(
      '--pattern <pattern>',
      'of rule: what an answer matches, or what finds the right answer in it',
    )
    .option('--reward <file>', 'of reward: a module with reward(instruction, answer, data)')
    .option('--constitution <file>', 'of constitution and revision: principles, one a line')
    .option('--revisions <n>', 'of revision: critiques one after the other; default 1', integer);
  addMakeFlags(
    command,
    `${queryRows}. Rows may have their answers, and for choices: chosen, perhaps rejected`,
  );
  return addJudgeModelFlags(command).action(async (flags: PreferencesFlags) => {
    checkJudge(flags);
    const method = checkChoice('--method', flags.method, preferenceMethods);
    const pairs = checkChoice('--pairs', flags.pairs, ['best-worst', 'all']);
    await runMake(flags, async ({ prompts, as, judge: model }) => {
      const { items, source } = await readQueries(flags.data, as);
      const judge = await judgeOf(flags, { model, prompts });
      const { task } = prompts;
      const recipe = preferences(items, { judge, task, answers: flags.answers, pairs, method });
      return { recipe: recipe as Recipe<MakeItem>, source, method };
    });
  });
}
