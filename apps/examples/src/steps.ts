import { start } from '@headwise/kernels';
import { createModel, languageModel } from '@headwise/models';
import {
  byOption,
  chainOfThought,
  definePrompt,
  localModel,
  pipe,
  runStep,
  selfConsistency,
  writeSlot,
} from '@headwise/prompting';
import { trainByteLevelBpe } from '@headwise/tokenizers';

await start();

// Random weights: what comes is arbitrary. load(folder) of @headwise/text gives a model and its tokenizer.
const tokenizer = await trainByteLevelBpe(['Do whales breathe air? Yes. No.'], { vocabSize: 280 });
const sizes = { vocab_size: 280, n_positions: 160, n_embd: 16, n_layer: 1, n_head: 2 };
const network = languageModel(createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 }));
const model = localModel({ model: network, tokenizer });

const facts = definePrompt({ name: 'facts', text: 'Facts about {{topic}}:' });
const ask = definePrompt({ name: 'ask', text: '{{context}}\nQuestion: {{question}}\nAnswer:' });
const step = pipe(
  writeSlot(facts, 'context', { maxNewTokens: 12 }), // the model writes helpful context first
  chainOfThought(ask, { maxNewTokens: 8 }), // then it reasons, and answers behind its reasoning
);
const values = { topic: 'whales', question: 'Do whales breathe air?' };
const result = await runStep(step, values, model, { seed: 1, temperature: 0.7 });
console.log(result.records.map(({ name }) => name)); // [ 'facts', 'ask', 'ask' ]
console.log(typeof result.values.reasoning, typeof result.values.answer); // string string

const extract = byOption(['Yes', 'No']);
const prompt = ask.write({ question: values.question, context: 'Whales have lungs.' });
const votes = await selfConsistency(model, prompt, {
  samples: 3,
  seed: 1,
  temperature: 0.7,
  maxNewTokens: 4,
  extract,
});
console.log(votes.samples.length, extract('I think so: yes.')); // 3 { value: 'Yes' }
