import { join } from 'node:path';
import { InputError } from '@headwise/core';
import { makeFolder, writeFile } from '@headwise/files';
import {
  accuracyOf,
  type OptimizedPrompt,
  optimizePrompt,
  type PromptCandidate,
  shuffledExamples,
  type TrialExample,
  trialLines,
} from '@headwise/prompting';
import { Command } from 'commander';
import { checkNewFolder } from '../../new-folder.js';
import { integer, number } from '../../numbers.js';
import { type Output, output } from '../../output.js';
import {
  addPromptModelFlags,
  openPromptModel,
  type PromptModelFlags,
} from '../../prompting/model.js';
import { stoppable } from '../../prompting/stoppable.js';
import { collect, dataHelp, integers, list } from '../../prompting/trial/flags.js';
import { noteLeaks } from '../../prompting/trial/note-leaks.js';
import { readTrialExamples, readTrialPrompt } from '../../prompting/trial/read-trial.js';

interface OptimizeFlags extends PromptModelFlags {
  data: string;
  prompt: string;
  budget: number;
  reflect?: boolean;
  reflectOn: number;
  instruction: string[];
  shots: number[];
  chain?: boolean;
  validationShare: number;
  heldOutShare: number;
  heldOut?: string;
  id?: string;
  ignore: string[];
  seed: number;
  batch: number;
  out: string;
  json?: boolean;
}

/** `headwise prompt optimize`: searches a better prompt, and measures it on questions that the search did not see. */
export function optimizeCommand(): Command {
  const command = new Command('optimize')
    .description('search better instructions and examples for a prompt, within a budget')
    .requiredOption('--data <file>', dataHelp)
    .requiredOption('--prompt <file>', 'the prompt to begin with, JSON as of prompt trial')
    .requiredOption('--budget <n>', 'questions that the search may ask', integer)
    .requiredOption('--out <dir>', 'a new folder for prompt.json, shown.jsonl and report.json')
    .option('--reflect', 'have the model rewrite the instruction from wrong answers')
    .option('--reflect-on <n>', 'questions that a rewriting is made from', integer, 4)
    .option(
      '--instruction <text>',
      'one to try besides that of the prompt; repeatable',
      collect,
      [],
    )
    .option(
      '--shots <n,…>',
      'examples that are shown; the first number is to begin with',
      integers,
      [0],
    )
    .option('--chain', 'with a chain of thought')
    .option('--validation-share <x>', 'of the examples that candidates are judged by', number, 0.4)
    .option('--held-out-share <x>', 'of the examples that the search never sees', number, 0.3)
    .option('--held-out <file>', 'in place of that share: a file of its own')
    .option('--id <field>', 'names an example in place of its line')
    .option('--ignore <field,…>', 'fields without a slot', list, [])
    .option('--seed <n>', 'of the parts, the draws and the rewritings', integer, 0)
    .option('--batch <n>', 'examples that are asked together', integer, 16);
  return addPromptModelFlags(command)
    .option('--json', 'print JSON lines: candidate, done')
    .addHelpText(
      'after',
      `
What is found can be tried:
  headwise prompt trial --prompt OUT/prompt.json --pool OUT/shown.jsonl --choose first --shots N …`,
    )
    .action(runOptimize);
}

async function runOptimize({ out: folder, ...flags }: OptimizeFlags): Promise<void> {
  const out = output(flags.json ?? false);
  await checkNewFolder('--out', folder);
  const prompt = await readTrialPrompt(flags.prompt);
  const parts = await partsOf(flags, prompt);
  const { budget, shots, instruction: instructions, seed, batch, chain } = flags;
  const sizes = Object.entries(parts).map(([name, part]) => `${part.length} ${names[name]}`);
  out.say(`examples   ${sizes.join(', ')}`);
  const opened = await openPromptModel(flags, out);
  try {
    let count = 0;
    const onCandidate = (candidate: PromptCandidate, spent: number) => {
      tellCandidate(out, candidate, { n: count++, spent });
    };
    const found = await stoppable(out, 'nothing was written', (signal) =>
      optimizePrompt(opened.model, prompt, {
        ...{ ...parts, budget, shots, instructions, seed, batch, chain, signal, onCandidate },
        reflection: flags.reflect ? { questions: flags.reflectOn } : false,
      }),
    );
    if (!found) return;
    await writeFound(folder, found);
    noteLeaks(out, found.leaks, 'of the search');
    const { report, search, leaks } = found;
    out.emit({ event: 'done', folder, best: search.best, spent: search.spent, leaks, ...report });
    for (const line of ['', ...trialLines(report)]) out.say(line);
    const best = search.best === 0 ? 'the prompt as it was given' : `candidate ${search.best}`;
    out.say(`\nbest       ${best}, after ${search.spent} questions`);
    out.say(
      `files      ${join(folder, 'prompt.json')}, shown.jsonl, report.json, search.json, answers.jsonl`,
    );
  } finally {
    opened.dispose();
  }
}

const names: Readonly<Record<string, string>> = {
  ...{ pool: 'to show and learn from', validation: 'to judge by', heldOut: 'held out' },
};

/** The parts of the examples: every one is in one of them. */
async function partsOf(
  {
    data,
    heldOut: file,
    validationShare,
    heldOutShare,
    id,
    ignore,
    seed,
  }: Omit<OptimizeFlags, 'out'>,
  prompt: Awaited<ReturnType<typeof readTrialPrompt>>,
): Promise<Record<'pool' | 'validation' | 'heldOut', readonly TrialExample[]>> {
  const held = file === undefined ? heldOutShare : 0;
  if (!(validationShare > 0 && held >= 0 && validationShare + held < 1)) {
    throw new InputError(
      `--validation-share is ${validationShare} and --held-out-share ${held}; expected shares above 0, together below 1`,
    );
  }
  const fields = { id, ignored: ignore };
  const { examples } = await readTrialExamples(data, [prompt], fields);
  const own = file === undefined ? undefined : await readTrialExamples(file, [prompt], fields);
  const order = shuffledExamples(examples, seed);
  const first = Math.round(held * order.length);
  const second = first + Math.max(1, Math.round(validationShare * order.length));
  return {
    pool: order.slice(second),
    validation: order.slice(first, second),
    heldOut: own?.examples ?? order.slice(0, first),
  };
}

function tellCandidate(
  out: Output,
  candidate: PromptCandidate,
  { n, spent }: { n: number; spent: number },
): void {
  const { origin, prompt, shown } = candidate;
  const accuracy = accuracyOf(candidate);
  const { instruction = '' } = prompt.definition;
  const ids = shown.map(({ id }) => id);
  out.emit({ event: 'candidate', n, origin, instruction, shown: ids, accuracy, spent });
  const from = typeof origin === 'string' ? origin : `rewritten from ${origin.reflectionOn}`;
  const line = instruction.replaceAll('\n', ' ');
  const text = line.length > 60 ? `${line.slice(0, 59)}…` : line;
  out.say(
    `candidate  ${n}: ${(100 * accuracy).toFixed(1)} %, ${from}, ${shown.length} shots${text === '' ? '' : `, '${text}'`}`,
  );
}

async function writeFound(folder: string, found: OptimizedPrompt): Promise<void> {
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const lines = (rows: readonly unknown[]) =>
    rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const { prompt, shown, report, records, search, leaks } = found;
  const candidates = search.candidates.map((candidate) => ({
    origin: candidate.origin,
    instruction: candidate.prompt.definition.instruction,
    shown: candidate.shown.map(({ id }) => id),
    accuracy: accuracyOf(candidate),
  }));
  const files = {
    'prompt.json': json(prompt.definition),
    'shown.jsonl': lines(shown.map(({ values }) => values)),
    'search.json': json({ ...search, candidates }),
    'answers.jsonl': lines(records),
    'report.json': json({ ...report, leaks }),
  };
  await makeFolder(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}
