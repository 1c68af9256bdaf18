import { join } from 'node:path';
import { checkOneOf, InputError } from '@headwise/core';
import { writeFile } from '@headwise/files';
import {
  planTrial,
  type TrialPlan,
  type TrialReport,
  trialLeaks,
  trialLines,
} from '@headwise/prompting';
import { trialInFolder } from '@headwise/prompting/node';
import { Command, InvalidArgumentError } from 'commander';
import { integer, number } from '../../numbers.js';
import { duration, type Output, output, progress } from '../../output.js';
import {
  addPromptModelFlags,
  openPromptModel,
  type PromptModelFlags,
} from '../../prompting/model.js';
import { stoppable } from '../../prompting/stoppable.js';
import { trialChart } from '../../prompting/trial/chart.js';
import { choosers } from '../../prompting/trial/choosers.js';
import { collect, dataHelp, integers, list } from '../../prompting/trial/flags.js';
import { noteLeaks } from '../../prompting/trial/note-leaks.js';
import {
  readTrialExamples,
  readTrialPrompt,
  splitExamples,
} from '../../prompting/trial/read-trial.js';

interface TrialFlags extends PromptModelFlags {
  data: string;
  prompt: string[];
  pool?: string;
  poolShare: number;
  shots: number[];
  orders: number;
  seeds: number;
  seed: number;
  chain?: boolean;
  choose: string;
  id?: string;
  group?: string;
  ignore: string[];
  limit?: number;
  temperature: number;
  topP?: number;
  batch: number;
  price?: [read: number, written: number];
  resamples: number;
  out: string;
  json?: boolean;
}

const chartName = 'accuracy.svg';

/** `headwise prompt trial`: the same labelled examples through every variant of some prompts. */
export function trialCommand(): Command {
  const command = new Command('trial')
    .description('ask the same labelled examples in every variant of some prompts, and compare')
    .requiredOption('--data <file>', dataHelp)
    .requiredOption('--prompt <file>', 'a prompt, JSON; repeatable', collect)
    .option('--pool <file>', 'examples to show; default a share of --data, which is not asked')
    .option('--pool-share <x>', 'that share', number, 0.25)
    .option('--shots <n,…>', 'examples that are shown', integers, [0])
    .option('--orders <n>', 'orders of the same examples', integer, 1)
    .option('--seeds <n>', 'draws of examples, and of sampled texts', integer, 1)
    .option('--seed <n>', 'the first of them', integer, 0)
    .option('--chain', 'each prompt with a chain of thought too')
    .option(
      '--choose <name>',
      `which examples are shown: ${Object.keys(choosers).join(', ')}`,
      'random',
    )
    .option('--id <field>', 'names an example in place of its line')
    .option('--group <field>', 'show only examples of the same group')
    .option('--ignore <field,…>', 'fields without a slot', list, [])
    .option('--limit <n>', 'ask the first n examples', integer)
    .option('--temperature <t>', 'of texts that are written; 0 is greedy', number, 0)
    .option('--top-p <p>', 'draw from the likeliest tokens that together have this', number)
    .option('--batch <n>', 'examples that are asked together', integer, 16)
    .option('--price <read,written>', 'of a million tokens, in any currency', price)
    .option('--resamples <n>', 'of the bootstrap', integer, 10_000)
    .option('--out <dir>', 'the folder of the trial', 'prompt-trial');
  return addPromptModelFlags(command)
    .option('--json', 'print JSON lines: progress, done')
    .addHelpText(
      'after',
      `
A prompt file; the fields of --data are the values of its slots:
  { "instruction": "Classify the review.",
    "question": "Review: {{review}}\\nSentiment:", "answer": " {{sentiment}}",
    "slots": { "sentiment": { "oneOf": ["Positive", "Negative"] } } }
With "oneOf" the likeliest label is the answer ("by": "score"); without, or with "by": "write", the text that the model writes.
The folder gets answers.jsonl (every prompt and answer), report.json and ${chartName}. A trial that was killed goes on when called again.`,
    )
    .action(runTrialCommand);
}

async function runTrialCommand(flags: TrialFlags): Promise<void> {
  const out = output(flags.json ?? false);
  if (flags.out === '') throw new InputError("--out is ''; expected the name of a folder");
  const { plan, source } = await planOf(flags);
  noteLeaks(
    out,
    trialLeaks(plan.examples, plan.pool, { prompt: plan.prompts[0]! }),
    'that may be shown',
  );
  const opened = await openPromptModel(flags, out);
  try {
    const model = { ...opened.model, revision: opened.revision };
    const { price: [read, written] = [], resamples, out: folder } = flags;
    const report = await stoppable(out, 'the same command goes on from there', async (signal) => {
      const shown = showProgress(out, plan);
      try {
        return await trialInFolder(folder, plan, {
          ...{ model, source, signal, resamples, onProgress: shown.update },
          price: read === undefined ? undefined : { read: read / 1e6, written: written! / 1e6 },
        });
      } finally {
        shown.stop();
      }
    });
    if (!report) return;
    await writeFile(join(folder, chartName), trialChart(report, { chance: chanceOf(plan) }));
    tell(out, folder, report);
  } finally {
    opened.dispose();
  }
}

/** Everything that can be refused is refused here, before a model is loaded. */
async function planOf({
  data,
  prompt: files,
  pool: poolFile,
  poolShare,
  shots,
  chain,
  choose,
  limit,
  temperature,
  topP,
  ignore,
  ...flags
}: TrialFlags): Promise<{ plan: TrialPlan; source: { [name: string]: never } }> {
  const { id, group, orders, seeds, seed, batch } = flags;
  checkOneOf('--choose', choose, Object.keys(choosers));
  if (!(poolShare > 0 && poolShare < 1)) {
    throw new InputError(`--pool-share is ${poolShare}; expected a number between 0 and 1`);
  }
  if (limit !== undefined && limit < 1)
    throw new InputError(`--limit is ${limit}; expected at least 1`);
  const prompts = await Promise.all(files.map(readTrialPrompt));
  const fields = { id, group, ignored: ignore };
  const asked = await readTrialExamples(data, prompts, fields);
  const shown =
    poolFile === undefined ? undefined : await readTrialExamples(poolFile, prompts, fields);
  const parts = shown
    ? { pool: shown.examples, examples: asked.examples }
    : splitExamples(asked.examples, { shots: Math.max(...shots), share: poolShare, seed });
  const plan = planTrial({
    ...{ prompts, pool: parts.pool, examples: parts.examples.slice(0, limit) },
    ...{ shots, orders, seeds, seed, batch },
    chain: chain ? [false, true] : [false],
    choose: choosers[choose],
    generation: { temperature, ...(topP === undefined ? {} : { topP }) },
  });
  const source = { data: asked.source, pool: shown?.source ?? null, choose };
  return { plan, source: source as never };
}

/** The accuracy of guessing one of the labels, where every prompt has as many. */
function chanceOf({ prompts }: TrialPlan): number | undefined {
  const [count, ...others] = new Set(prompts.map(({ options = [] }) => options.length));
  return count && others.length === 0 ? 1 / count : undefined;
}

function showProgress(out: Output, { variants, examples }: TrialPlan) {
  out.say(`trial      ${variants.length} variants of ${examples.length} examples`);
  let bar: ReturnType<typeof progress> | undefined;
  let begun = { at: 0, done: 0 };
  return {
    update(now: { done: number; answers: number; correct: number }) {
      const { done, answers, correct } = now;
      const seconds = performance.now() / 1000;
      if (!bar) {
        bar = progress(out, answers, done);
        begun = { at: seconds, done };
      }
      out.emit({ event: 'progress', ...now });
      const made = done - begun.done;
      const left = made > 0 ? ((answers - done) * (seconds - begun.at)) / made : undefined;
      const share = done > 0 ? `${((100 * correct) / done).toFixed(1)} % right` : '';
      bar.update(done, left === undefined ? share : `${share}, ${duration(left)} left`);
    },
    stop: () => bar?.stop(),
  };
}

function tell(out: Output, folder: string, report: TrialReport): void {
  out.emit({ event: 'done', folder, ...report });
  for (const line of ['', ...trialLines(report)]) out.say(line);
  out.say(`\nfiles      ${join(folder, 'answers.jsonl')}, report.json, ${chartName}`);
}

function price(text: string): [number, number] {
  const parts = text.split(',').map((part) => number(part.trim()));
  if (parts.length === 2 && parts.every((part) => part >= 0)) return parts as [number, number];
  throw new InvalidArgumentError(`'${text}' is not two prices such as 0.15,0.6.`);
}
