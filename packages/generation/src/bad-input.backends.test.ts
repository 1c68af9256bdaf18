import { createModel } from '@headwise/models';
import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { choices } from './choices.js';
import { generate } from './generate.js';
import { generateBatch } from './generate-batch.js';
import type { GenerateOptions } from './options.js';
import { beamSearch } from './search/beam-search.js';
import { contrastiveSearch } from './search/contrastive-search.js';
import { promptLookup } from './speculation/prompt-lookup.js';
import { stream } from './stream.js';

const sizes = { vocab_size: 7, n_positions: 6, n_embd: 8, n_layer: 1, n_head: 2 };
const make = () => createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });

type Network = ReturnType<typeof make>['network'];
type Run = (
  network: Network,
  prompt: readonly number[],
  options: GenerateOptions,
) => Promise<unknown>;
const drain = async (tokens: AsyncGenerator<unknown, unknown>) => {
  while (!(await tokens.next()).done);
};
const tokens: Record<string, Run> = {
  generate: (network, prompt, options) => drain(generate(network, prompt, options)),
  'generate with drafts': (network, prompt, options) =>
    drain(generate(network, prompt, { speculation: promptLookup(), ...options })),
  stream: (network, prompt, options) => drain(stream(network, prompt, options)),
  generateBatch: async (network, prompt, options) => {
    const { sequences } = await generateBatch(network, [[1, 2], prompt], options);
    // What is found while a sequence runs ends it alone.
    for (const { error } of sequences) if (error) throw error;
  },
};
const searches: Record<string, Run> = {
  beamSearch: (network, prompt, options) =>
    beamSearch(network, [[1, 2], prompt], { beams: 2, ...options }),
  contrastiveSearch: (network, prompt, options) =>
    contrastiveSearch(network, [[1, 2], prompt], { candidates: 2, penalty: 0.5, ...options }),
};

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const prompts: [readonly number[], string][] = [
  [[], 'the prompt is empty; expected at least one token'],
  [[1, 2, 3, 4, 5, 6, 0], "the prompt has 7 tokens; the model's context holds 6"],
  [[1, 7], 'id 7 at position 1 is outside the vocabulary of 7 tokens'],
  [[-1], 'id -1 at position 0 is outside the vocabulary'],
  [[1.5], 'id 1.5 at position 0'],
  [[nan], 'id NaN at position 0'],
];
const options: [GenerateOptions, string][] = [
  [{ temperature: -1 }, 'temperature is -1; expected a number of at least 0'],
  [{ temperature: nan }, 'temperature is NaN; expected a number of at least 0'],
  [{ temperature: inf }, 'temperature is Infinity; expected a number of at least 0'],
  [{ topP: 0 }, 'topP is 0; expected 0 < topP ≤ 1'],
  [{ topP: 1.01 }, 'topP is 1.01; expected 0 < topP ≤ 1'],
  [{ topP: nan }, 'topP is NaN'],
  [{ topK: 0 }, 'topK is 0; expected a whole number of at least 1'],
  [{ topK: 2.5 }, 'topK is 2.5; expected a whole number of at least 1'],
  [{ minP: -0.1 }, 'minP is -0.1; expected 0 ≤ minP ≤ 1'],
  [{ typicalP: 0 }, 'typicalP is 0; expected 0 < typicalP ≤ 1'],
  [{ epsilonCutoff: 1 }, 'epsilonCutoff is 1; expected 0 ≤ epsilonCutoff < 1'],
  [{ etaCutoff: nan }, 'etaCutoff is NaN; expected 0 ≤ etaCutoff < 1'],
  [{ topNSigma: -1 }, 'topNSigma is -1; expected a number of at least 0'],
  [{ repetitionPenalty: 0 }, 'repetitionPenalty is 0; expected a number above 0'],
  [{ frequencyPenalty: nan }, 'frequencyPenalty is NaN; expected a number'],
  [{ maxNewTokens: -1 }, 'maxNewTokens is -1; expected a whole number of at least 0'],
  [{ maxNewTokens: nan }, 'maxNewTokens is NaN; expected a whole number of at least 0'],
  [{ maxLength: 0 }, 'maxLength is 0; expected a whole number of at least 1'],
  [{ maxTime: nan }, 'maxTime is NaN; expected milliseconds, at least 0'],
  [{ stopIds: [nan] }, 'stopIds: id is NaN; expected a whole number of at least 0'],
  [{ suppressIds: [7] }, 'suppressIds: id 7 is outside the vocabulary of 7 tokens'],
  [{ badWords: [[1, 9]] }, 'badWords: id 9 is outside the vocabulary of 7 tokens'],
  [{ logitBias: new Map([[1, nan]]) }, 'logitBias of [1] is NaN; expected a number or −∞'],
  [{ logitBias: new Map([[1, inf]]) }, 'logitBias of [1] is Infinity; expected a number or −∞'],
  // What contradicts itself.
  [{ forcedLastId: 3, suppressIds: [3] }, 'forcedLastId is 3, which suppressIds rules out'],
  [{ suppressIds: [0, 1, 2, 3, 4, 5, 6] }, 'all 7 scores of row 0 are −∞; expected a token'],
  [{ minNewTokens: 3, maxNewTokens: 2 }, 'minNewTokens is 3, above maxNewTokens, 2'],
  [{ minLength: 5, maxLength: 4 }, 'minLength is 5, above maxLength, 4'],
  [{ negativePrompt: [1] }, 'negativePrompt is given, but guidanceScale is 1'],
];

const constraint = choices([[1, 2, 3]]);
const constrained: [GenerateOptions, string][] = [
  [{ constraint }, 'constraint: its shortest output has 3 tokens; maxNewTokens is 2'],
  [
    { constraint, maxNewTokens: 3, suppressIds: [1] },
    'constraint: none of the 7 tokens may come after 0 new ones',
  ],
  [
    { constraint, maxNewTokens: 4, minNewTokens: 4 },
    "minNewTokens is 4, but the constraint's output is complete after 3 tokens",
  ],
];

describeBackends('prompts and options that cannot be used', () => {
  let model: ReturnType<typeof make>;
  beforeAll(() => {
    model = make();
  });
  afterAll(() => model.params.dispose());

  for (const [name, run] of Object.entries({ ...tokens, ...searches })) {
    test(`${name} names them, and leaves nothing behind`, async () => {
      const { network } = model;
      const before = tf.memory().numTensors;
      for (const [prompt, message] of prompts) {
        await expect(run(network, prompt, { maxNewTokens: 2 }), `[${prompt}]`).rejects.toThrow(
          message,
        );
      }
      for (const [given, message] of options) {
        const all = { maxNewTokens: 'maxLength' in given ? undefined : 2, ...given };
        await expect(run(network, [3], all), message).rejects.toThrow(message);
      }
      for (const [given, message] of name in tokens ? constrained : []) {
        await expect(run(network, [3], { maxNewTokens: 2, ...given }), message).rejects.toThrow(
          message,
        );
      }
      expect(tf.memory().numTensors).toBe(before);
    });
  }
});
