import { type LanguageModel, Random } from '@headwise/core';
import {
  collatedBatches,
  countedTokens,
  judgedCompletions,
  learnSpans,
  mismatched,
  preferencePairs,
} from '@headwise/data';
import { generate } from '@headwise/generation';
import { createModel, languageModel } from '@headwise/models';
import { describeOn, fullOnly } from '@headwise/testing';
import { ChatTemplate, trainCharacter } from '@headwise/tokenizers';
import {
  type Continuation,
  causalLanguageModel,
  directPreference,
  kahnemanTversky,
  referenceLogProbabilities,
} from '@headwise/training';
import { expect, test } from 'vitest';
import { learn, longest, shareOf } from './learn.cases.js';

const letters = [...'abcdefgh'];
const tokenizer = await trainCharacter([letters.join('')], {
  specialTokens: ['[PAD]', '<user>', '<assistant>', '<end>'],
});

const decoder = () =>
  languageModel(
    createModel(
      {
        model_type: 'gpt2',
        vocab_size: tokenizer.vocabSize,
        n_positions: 24,
        n_embd: 32,
        n_layer: 2,
        n_head: 4,
        n_inner: 64,
        embd_pdrop: 0,
        attn_pdrop: 0,
        resid_pdrop: 0,
      },
      { seed: 1 },
    ),
  );

const random = new Random(5);
const letter = (among = letters) => among[Math.floor(random.next() * among.length)]!;
const word = () => `${letter()}${letter()}${letter()}`;
const reversed = (text: string) => [...text].reverse().join('');

const template = new ChatTemplate({
  chat_template: `{%- for message in messages -%}
    <{{ message.role }}>
    {%- if message.role == 'assistant' -%}
      {% generation %}{{ message.content }}<end>{% endgeneration %}
    {%- else -%}{{ message.content }}<end>{%- endif -%}
  {%- endfor -%}
  {%- if add_generation_prompt -%}<assistant>{%- endif -%}`,
});

/** Chats of one or two questions, each answered by the question read backwards. */
function chats(words: readonly string[]) {
  return words.map((first, n) => {
    const said = n % 2 ? [first] : [first, words[(7 * n) % words.length]!];
    const { text, turns } = template.assistantTurns(
      said.flatMap((content) => [
        { role: 'user', content },
        { role: 'assistant', content: reversed(content) },
      ]),
    );
    return learnSpans(tokenizer.encode(text), turns);
  });
}

async function answer(network: LanguageModel, content: string): Promise<string> {
  const asked = [{ role: 'user', content }];
  const { ids } = tokenizer.encode(
    template.applyChatTemplate(asked, { addGenerationPrompt: true }),
  );
  const said: number[] = [];
  for await (const id of generate(network, ids, { temperature: 0, maxNewTokens: 4 })) said.push(id);
  return tokenizer.decode(said, { skipSpecialTokens: false });
}

/** Pairs in which the first letter of a word is preferred to any other letter. */
const preferences = (count: number) =>
  Array.from({ length: count }, () => {
    const asked = word();
    const ids = (text: string) => tokenizer.encode(text).ids;
    const other = letter(letters.filter((one) => one !== asked[0]));
    return {
      prompt: ids(`<user>${asked}<assistant>`),
      chosen: ids(`${asked[0]}<end>`),
      rejected: ids(`${other}<end>`),
    };
  });
type Pair = ReturnType<typeof preferences>[number];

/** The log-probabilities of both completions. */
async function bothOf(network: LanguageModel, pairs: readonly Pair[]) {
  const of = (completion: 'chosen' | 'rejected') =>
    referenceLogProbabilities(
      network,
      pairs.map((pair): Continuation => ({ prompt: pair.prompt, completion: pair[completion] })),
    );
  const [chosen, rejected] = [await of('chosen'), await of('rejected')];
  return pairs.map((_, n) => ({ chosen: chosen[n]!, rejected: rejected[n]! }));
}

/** Learns from some pairs; the share of others whose chosen completion has gained more than the rejected one. */
async function preferenceAccuracy(
  teach: (model: ReturnType<typeof decoder>, pairs: readonly Pair[]) => Promise<void>,
): Promise<number> {
  const model = decoder();
  const held = preferences(32);
  const before = await bothOf(model.network, held);
  await teach(model, preferences(96));
  const after = await bothOf(model.network, held);
  model.params.dispose();
  const gained = after.map((now, n) => {
    const then = before[n]!;
    return now.chosen - then.chosen > now.rejected - then.rejected;
  });
  return shareOf(
    gained,
    gained.map(() => true),
  );
}

describeOn('wasm', 'a decoder learns within a minute', () => {
  test(
    'to answer nine of ten questions of chats that it has not seen',
    async () => {
      const words = [...new Set(Array.from({ length: 400 }, word))];
      const { network, params } = decoder();
      await learn({
        params: params.named(),
        objective: causalLanguageModel(network),
        batches: collatedBatches(chats(words.slice(16)), countedTokens({ length: 20 }), {
          batchSize: 16,
          seed: 1,
        }),
        steps: 110,
        rate: 0.02,
      });
      const held = words.slice(0, 16);
      const answers: string[] = [];
      for (const asked of held) answers.push(await answer(network, asked));
      const right = held.map((asked) => `${reversed(asked)}<end>`);
      expect(shareOf(answers, right)).toBeGreaterThanOrEqual(0.9);
      params.dispose();
    },
    longest,
  );

  test(
    'by DPO to prefer what is preferred in four of five pairs',
    async () => {
      const accuracy = await preferenceAccuracy(async ({ network, params }, pairs) => {
        const reference = await bothOf(network, pairs);
        const examples = pairs.map((pair, n) => ({ ...pair, reference: reference[n]! }));
        await learn({
          params: params.named(),
          objective: directPreference(network, { beta: 0.3 }),
          batches: collatedBatches(examples, preferencePairs(), { batchSize: 16, seed: 1 }),
          steps: 80,
          rate: 0.02,
        });
      });
      expect(accuracy).toBeGreaterThanOrEqual(0.8);
    },
    longest,
  );

  fullOnly(
    'by KTO, from single judgements, to prefer it in three of four pairs',
    async () => {
      const accuracy = await preferenceAccuracy(async ({ network, params }, pairs) => {
        const judged = pairs.map(({ prompt, chosen, rejected }, n) => {
          const desirable = n % 2 === 0;
          return { prompt, completion: desirable ? chosen : rejected, desirable };
        });
        const others = mismatched(judged);
        const completion = await referenceLogProbabilities(network, judged);
        const other = await referenceLogProbabilities(
          network,
          judged.map(({ prompt }, n) => ({ prompt, completion: others[n]! })),
        );
        const examples = judged.map((one, n) => ({
          ...one,
          other: others[n]!,
          reference: { completion: completion[n]!, other: other[n]! },
        }));
        await learn({
          params: params.named(),
          objective: kahnemanTversky(network, { beta: 0.3 }),
          batches: collatedBatches(examples, judgedCompletions(), { batchSize: 16, seed: 1 }),
          steps: 120,
          rate: 0.02,
        });
      });
      expect(accuracy).toBeGreaterThanOrEqual(0.75);
    },
    longest,
  );
});
