import { start } from '@headwise/kernels';
import { createModel, languageModel } from '@headwise/models';
import {
  defineTrialPrompt,
  localModel,
  mcnemarTest,
  optimizePrompt,
  planTrial,
  runTrial,
  type TrialRecord,
  trialLines,
  trialReport,
} from '@headwise/prompting';
import { trainByteLevelBpe } from '@headwise/tokenizers';

await start();

const prompt = defineTrialPrompt({
  name: 'sentiment',
  instruction: 'Classify the review.',
  question: 'Review: {{review}}\nSentiment:',
  answer: ' {{sentiment}}',
  slots: { sentiment: { oneOf: ['Positive', 'Negative'] } },
});
const examples = ['I loved it', 'Dull', 'A joy', 'It broke', 'So good', 'Awful'].map(
  (review, n) => ({
    id: `${n}`,
    values: { review, sentiment: n % 2 ? 'Negative' : 'Positive' },
  }),
);

// Random weights: what comes is arbitrary. load(folder) of @headwise/text gives a model and its tokenizer.
const tokenizer = await trainByteLevelBpe(['Review: Sentiment: Positive Negative'], {
  vocabSize: 280,
});
const sizes = { vocab_size: 280, n_positions: 256, n_embd: 16, n_layer: 1, n_head: 2 };
const network = languageModel(createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 }));
const model = localModel({ model: network, tokenizer });

const [asked, pool] = [examples.slice(0, 3), examples.slice(3)];
const plan = planTrial({ prompts: [prompt], examples: asked, pool, shots: [0, 2], seeds: 2 });
console.log(plan.variants.length); // 3
const records: TrialRecord[] = [];
for await (const part of runTrial(model, plan)) records.push(...part.records);
console.log(records.length, records[0]!.condition); // 9 sentiment, 0 shots
const report = trialReport(records, { price: { read: 0.15e-6, written: 0.6e-6 } });
for (const line of trialLines(report)) console.error(line);
console.log(report.comparisons[0]!.second); // sentiment, 2 shots
console.log(mcnemarTest(1, 9).toFixed(4)); // 0.0215

const found = await optimizePrompt(model, prompt, {
  pool: examples.slice(0, 2),
  validation: examples.slice(2, 4),
  heldOut: examples.slice(4),
  budget: 6,
  shots: [0, 1],
  instructions: ['Is the review positive or negative?'],
});
console.log(found.search.candidates.length, found.search.spent); // 3 6
