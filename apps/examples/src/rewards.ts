import { collatedBatches, completions } from '@headwise/data';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { Rollouts } from '@headwise/runs';
import { trainCharacter } from '@headwise/tokenizers';
import {
  AdamW,
  causalLanguageModel,
  constantRate,
  groupRelativePolicy,
  train,
  warmupConstant,
} from '@headwise/training';

await start({ prefer: 'cpu' });
const tokenizer = await trainCharacter(['0123456789+=.']);
const encode = (text: string) => tokenizer.encode(text).ids;
const problems = [0, 1, 2].flatMap((a) =>
  [0, 1, 2].map((b) => ({ prompt: `${a}+${b}=`, answer: `${a + b}` })),
);
const { network, params } = createModel(
  {
    model_type: 'llama',
    vocab_size: tokenizer.vocabSize,
    hidden_size: 32,
    intermediate_size: 64,
    num_hidden_layers: 1,
    num_attention_heads: 2,
  },
  { seed: 1 },
);

// Examples teach the form of an answer, and some of the sums.
const examples = problems.map(({ prompt, answer }) => ({
  prompt: encode(prompt),
  completion: encode(`${answer}.`),
}));
const teaching = train({
  objective: causalLanguageModel(network),
  params: params.named(),
  optimizer: new AdamW(params.named()),
  schedule: constantRate(0.01),
  batches: collatedBatches(examples, completions(), { batchSize: 9 }),
  steps: 10,
});
for await (const { loss } of teaching) console.assert(loss > 0);

// Then the model answers, and learns from what its answers earn.
const rewards: number[] = [];
const practice = train({
  objective: groupRelativePolicy(network),
  params: params.named(),
  optimizer: new AdamW(params.named(), { weightDecay: 0, beta2: 0.99 }),
  schedule: warmupConstant({ peak: 0.008, warmupSteps: 5 }),
  batches: new Rollouts(network, {
    tokenizer,
    prompts: problems,
    rewards: { right: ({ text }, { answer }) => Number(text === answer) },
    groups: 9, // prompts of a step, with 8 completions each
    maxNewTokens: 3,
    endId: tokenizer.tokenToId('.'),
  }),
  steps: 12,
});
for await (const { measures } of practice) rewards.push(measures!.reward!);
console.log(rewards.at(-1)! > rewards[0]! + 0.15); // true
