// Documents → instructions that a model writes for them → filters → fine-tuning → preference pairs → DPO → a trial on instructions that nothing
// was trained on. Every model is tiny and trained here: main.js FOLDER [SEED [SHARE]], with a share of the steps and of the instructions that are asked.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { start } from '@headwise/kernels';
import {
  backTranslation,
  defineTrialPrompt,
  localModel,
  noDuplicates,
  planTrial,
  preferences,
  rewardJudge,
  runTrial,
  type TrialRecord,
  trialReport,
} from '@headwise/prompting';
import { makeInFolder } from '@headwise/prompting/node';
import { instructionOf, prompts, textOf, tokenizerOf, wordsFor, world } from './language.js';
import { finetune, teachFirst } from './teach.js';

const [folder = 'made-data', given = '1', share = '1'] = process.argv.slice(2);
const seed = Number(given);
const shareOf = (count: number) => Math.ceil(count * Number(share));
await start({ prefer: 'wasm' });
await mkdir(folder, { recursive: true });
const at = (name: string) => join(folder, name);

const { seeds, documents, queries, held } = world(seed);
const tokenizer = await tokenizerOf();
const first = await teachFirst({ seeds }, tokenizer, { seed, steps: shareOf(400) });
const writing = { seed, temperature: 1, maxNewTokens: 8, options: { stop: '\n' } };
const named = (name: string, model = first.model) =>
  localModel({ model, tokenizer }, { name, revision: `seed ${seed}`, running: 32 });

// The instructions that the trial asks.
const say = defineTrialPrompt({
  name: 'say',
  question: 'Ask: {{instruction}}\nText:',
  answer: ' {{response}}\n',
  maxNewTokens: 8,
});
const plan = planTrial({
  prompts: [say],
  examples: held.slice(0, shareOf(held.length)).map((command) => {
    const instruction = instructionOf(command);
    return { id: instruction, values: { instruction, response: textOf(command, '.') } };
  }),
  // What a model says by chance counts as often as it says it.
  generation: { temperature: 1 },
  batch: 96,
});
const records: TrialRecord[] = [];
async function trial(model: ReturnType<typeof localModel>): Promise<void> {
  for await (const part of runTrial(model, plan)) {
    records.push(...part.records.map((one) => ({ ...one, condition: model.name })));
  }
}

await trial(named('first model'));
const instructions = await makeInFolder(
  at('instructions'),
  backTranslation(documents, { prompts }),
  { ...writing, model: named('first model'), filters: [noDuplicates()] },
);
const tuned = await finetune(
  first,
  {
    method: 'sft',
    training: { seed, steps: shareOf(120), batchSize: 16, learningRate: 0.005, warmup: 0.1 },
  },
  { from: at('instructions'), to: at('sft') },
);
await trial(named('fine-tuned'));

// What people would choose: the right words, said calmly.
const judge = rewardJudge('right and calm', (instruction, answer) => {
  const right = answer.slice(0, -2) === wordsFor(instruction);
  return Number(right) + Number(answer.endsWith('.'));
});
const asked = queries.map((instruction) => ({ place: instruction, instruction }));
const pairs = await makeInFolder(
  at('preferences'),
  preferences(asked, { judge, task: prompts.task, answers: 4 }),
  { ...writing, model: named('fine-tuned') },
);
const preferred = await finetune(
  first,
  {
    method: 'dpo',
    adapter: { rank: 8 },
    training: { seed, steps: shareOf(80), batchSize: 16, learningRate: 0.0005, warmup: 0.1 },
  },
  { from: at('preferences'), to: at('dpo') },
);
await trial(named('after DPO', preferred.model as typeof first.model));
await writeFile(at('trial.jsonl'), records.map((one) => `${JSON.stringify(one)}\n`).join(''));

/** How many of some rows have the instruction that their document was made of. */
async function rightOf(name: string): Promise<readonly [right: number, all: number]> {
  const text = await readFile(at(`instructions/${name}`), 'utf8');
  const rows = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const examples = rows.map((row) => row.example ?? row).filter(({ prompt }) => prompt);
  const right = examples.filter(
    ({ prompt, made }) => prompt === prompts.task.question.write({ instruction: made.source }),
  );
  return [right.length, examples.length];
}
const { conditions, comparisons } = trialReport(records, { seed });
const numbers = {
  kept: await rightOf('examples.jsonl'),
  leftOut: await rightOf('left-out.jsonl'),
  instructions,
  pairs,
  conditions: conditions.map(({ condition, accuracy, low, high }) => {
    return { condition, accuracy, low, high };
  }),
  comparisons: comparisons.map(({ first: a, second: b, mean, adjusted }) => {
    return { first: a, second: b, mean, adjusted };
  }),
};
await writeFile(at('numbers.json'), `${JSON.stringify(numbers, null, 2)}\n`);
console.log(JSON.stringify(numbers, null, 2));
preferred.free();
tuned.free();
