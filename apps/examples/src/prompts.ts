import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { definePrompt, defineTask, fitPrompt, promptReader } from '@headwise/prompting';
import { trainByteLevelBpe } from '@headwise/tokenizers';

await start();

const task = defineTask({
  name: 'sentiment',
  question: 'Classify this review:\n{{review}}\nSentiment:',
  answer: ' {{sentiment}}',
  slots: { sentiment: { oneOf: ['Positive', 'Negative'] } },
});
const oneShot = task.withExamples([{ review: 'I loved this DVD!', sentiment: 'Positive' }]);
console.log(oneShot.write({ review: "I don't like this chair." }));

const ask = definePrompt({
  name: 'ask',
  text: '{{passages}}\nQuestion: {{question}}\nAnswer:',
  slots: { passages: { kind: 'list' }, question: { whole: true } },
});
const passages = ['Ishmael goes to sea.', 'Ahab hunts a white whale.', 'Queequeg throws harpoons.'];
// Random weights; load(folder) of @headwise/text gives a model and its tokenizer.
const tokenizer = await trainByteLevelBpe(passages, { vocabSize: 257 });
const sizes = { vocab_size: 257, n_positions: 96, n_embd: 16, n_layer: 1, n_head: 2 };
const model = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });
const reader = promptReader({ model, tokenizer });
const { ids, cuts } = fitPrompt(ask, { passages, question: 'Who hunts?' }, reader, { answer: 8 });
console.log(ids.length, 'of', 96 - 8); // 73 of 88
for (const { slot, before, after } of cuts) console.log(slot, before, after); // passages 3 2
