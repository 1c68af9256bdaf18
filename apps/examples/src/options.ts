import { packTokenIds, shuffledBatches, tokenWindows } from '@headwise/data';
import { start } from '@headwise/kernels';
import { createModel, languageModel } from '@headwise/models';
import { chooseOptions, defineTask, localModel, shuffledExamples } from '@headwise/prompting';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import { AdamW, causalLanguageModel, constantRate, train } from '@headwise/training';

await start(); // the GPU where there is one

const task = defineTask({
  name: 'sentiment',
  question: 'Review: {{review}}\nSentiment:',
  answer: ' {{sentiment}}\n',
});
const examples = Array.from({ length: 60 }, (_, n) =>
  n % 2
    ? { review: 'I loved it', sentiment: 'Positive' }
    : { review: 'I hated it', sentiment: 'Negative' },
);
const text = shuffledExamples(examples, 1)
  .map(
    ({ review, sentiment }) => task.question.write({ review }) + task.answer.write({ sentiment }),
  )
  .join('');
const tokenizer = await trainByteLevelBpe([text], { vocabSize: 320 });
const sizes = {
  vocab_size: tokenizer.vocabSize,
  n_positions: 64,
  n_embd: 32,
  n_layer: 2,
  n_head: 4,
};
const trained = languageModel(createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 }));
const ids = packTokenIds(tokenizer.encode(text).ids, tokenizer);
const params = trained.params.named();
const run = train({
  objective: causalLanguageModel(trained.network),
  params,
  optimizer: new AdamW(params),
  schedule: constantRate(0.01),
  batches: shuffledBatches(tokenWindows(ids, { length: 32 }), { batchSize: 4, seed: 1 }),
  steps: 80,
});
for await (const { step, loss } of run) console.error(step, loss);

// load(folder) of @headwise/text gives a model and its tokenizer, too.
const model = localModel({ model: trained, tokenizer });
const prompt = task.withExamples([]);
const options = ['Positive', 'Negative'];
const [choice] = await chooseOptions(model, [
  { prompt: prompt.write({ review: 'I hated it' }), options },
]);
console.log(choice?.option); // Negative
const [calibrated] = await chooseOptions(
  model,
  [{ prompt: prompt.write({ review: 'I loved it' }), options }],
  { contentFree: () => [prompt.write({ review: 'N/A' })] },
);
console.log(calibrated?.option); // Positive
