import { start } from '@headwise/kernels';
import { createModel, languageModel } from '@headwise/models';
import {
  localModel,
  makeExamples,
  makePrompts,
  noDuplicates,
  noRefusals,
  preferences,
  rewardJudge,
} from '@headwise/prompting';
import { trainByteLevelBpe } from '@headwise/tokenizers';

await start();

// Random weights: what comes is arbitrary. load(folder) of @headwise/text gives a model and its tokenizer.
const tokenizer = await trainByteLevelBpe(['Who hunts? Who breathes?'], { vocabSize: 270 });
const sizes = { vocab_size: 270, n_positions: 64, n_embd: 16, n_layer: 1, n_head: 2 };
const network = languageModel(createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 }));
const model = localModel({ model: network, tokenizer }, { name: 'tiny' });

const queries = ['Who hunts?', 'Who breathes?'].map((instruction, n) => ({
  place: `query ${n + 1}`,
  instruction,
}));
const { task } = makePrompts('text', {
  question: 'Q: {{instruction}}\nA:',
  answer: ' {{response}}',
});
const judge = rewardJudge('short', (_, answer) => -answer.length);
const recipe = preferences(queries, { judge, task, answers: 4 });
const options = { model, seed: 1, maxNewTokens: 8, keepUnfinished: true };
const filters = [noRefusals(), noDuplicates()];
let pairs = 0;
for await (const { rows } of makeExamples(recipe, { ...options, filters })) {
  for (const { example } of rows) console.error(example.chosen, '>', example.rejected);
  pairs += rows.length;
}
console.log(pairs); // 2
