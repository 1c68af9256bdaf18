import { generate } from '@headwise/generation';
import { createGrammar } from '@headwise/grammar';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { trainByteLevelBpe } from '@headwise/tokenizers';

await start();
const tokenizer = await trainByteLevelBpe(['{"age": 7, "name": "Ishmael"}'], { vocabSize: 270 });
const constraint = createGrammar(tokenizer).jsonSchema({
  type: 'object',
  properties: { name: { type: 'string', maxLength: 20 }, age: { type: 'integer', minimum: 0 } },
  required: ['name', 'age'],
});

// Random weights: what comes is arbitrary, but it is what the schema says.
const sizes = {
  vocab_size: tokenizer.vocabSize,
  n_positions: 128,
  n_embd: 16,
  n_layer: 1,
  n_head: 2,
};
const { network } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });
const ids: number[] = [];
for await (const id of generate(network, [1], { constraint, maxNewTokens: 60, seed: 1 })) {
  ids.push(id);
}
const { name, age } = JSON.parse(tokenizer.decode(ids));
console.log(typeof name, Number.isInteger(age)); // string true

const state = constraint.start(); // or step by step
state.accept(tokenizer.encode('{').ids[0]!);
console.log(state.done); // false
