import { checkExamples } from '@headwise/data';
import { createModel } from '@headwise/models';
import { ChatTemplate, trainCharacter } from '@headwise/tokenizers';
import { evaluate, type TokenBatch } from '@headwise/training';
import { describe, expect, test } from 'vitest';
import { type FinetuneSettings, parseFinetuneConfig } from './finetune/config.js';
import { encodeExamples } from './finetune/encode.js';
import { methodFormats } from './finetune/methods.js';
import { planFinetune } from './finetune/plan.js';
import { prepareFinetune } from './finetune/prepare.js';
import { finetuneWork } from './finetune/work.js';
import { Memory, trainOn } from './memory.cases.js';
import type { Packing } from './packed-documents.js';
import { parseRunConfig } from './parse-run-config.js';
import { Session } from './session.js';

const tokenizer = await trainCharacter(['abcdefghijklmnopqrstuvwxyz ?|:'], {
  specialTokens: ['[END]'],
});
const endId = tokenizer.tokenToId('[END]')!;
const chatTemplate = new ChatTemplate({
  chat_template:
    '{% for m in messages %}{{ m.role[0] }}:{{ m.content }}|{% endfor %}{% if add_generation_prompt %}a:{% endif %}',
});
const letters = (n: number, count: number) =>
  Array.from({ length: count }, (_, i) => String.fromCharCode(97 + ((n * 7 + i * 3) % 26))).join(
    '',
  );
/** Chats of one or two turns, of different lengths. */
const rows = Array.from({ length: 20 }, (_, n) => {
  const turn = (role: string, length: number) => ({ role, content: letters(n, length) });
  const two = [turn('user', 1 + (n % 4)), turn('assistant', 1 + (n % 3))];
  return { messages: n % 5 === 0 ? [...two, turn('user', 2), turn('assistant', 1)] : two };
});
const examples = checkExamples(rows, { name: 'rows', accepted: methodFormats('sft') });
const sources = { examples, tokenizer, endId, chatTemplate };
const configuration = {
  model_type: 'llama',
  vocab_size: tokenizer.vocabSize,
  ...{ hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2 },
  ...{ max_position_embeddings: 40, bos_token_id: null, eos_token_id: null },
};
const length = 32;
const settings = (packing?: Packing, method: FinetuneSettings['method'] = 'sft') => ({
  method,
  data: { maxLength: length, validation: 0, ...(packing && { packing }) },
  training: { steps: 4, batchSize: 2, learningRate: 0.01, epochs: 1 },
});

/** The batches of an epoch. */
async function epochOf(packing?: Packing) {
  const { training, ...others } = settings(packing);
  const { steps: _, ...epoch } = training;
  const config = parseFinetuneConfig({ ...others, training: { ...epoch, batchSize: 1 } });
  const model = createModel(configuration, { seed: 1 });
  const data = await prepareFinetune(config, sources, model);
  const batches = Array.from({ length: data.steps }, (_, n) => data.batches.at(n) as TokenBatch);
  return { data, model, batches };
}

const shown = (id: number) => (id < 0 ? '.' : tokenizer.decode([id], { skipSpecialTokens: false }));

/** What each document of a row reads and predicts, such as `u:ab|a:b` and `......b|`; padding has none. */
function documentsOf({ inputs, targets, documents, shape }: TokenBatch): string[] {
  const found = new Map<string, [string, string]>();
  for (const [i, id] of inputs.entries()) {
    const key = `${Math.floor(i / shape[1])} ${documents?.[i] ?? 0}`;
    const [read, predicted] = found.get(key) ?? ['', ''];
    found.set(key, [read + shown(id), predicted + shown(targets[i]!)]);
  }
  return [...found.values()].filter(([, of]) => /[^.]/.test(of)).map((both) => both.join(' > '));
}

describe.each(['best-fit', 'concatenate'] as const)('%s', (packing) => {
  test('the loss is on the turns that it is on without packing, and each chat is seen by itself', async () => {
    const plain = await epochOf();
    const packed = await epochOf(packing);
    expect(plain.batches).toHaveLength(20);
    expect(packed.data.counts).toMatchObject({ train: 20, rows: packed.batches.length });
    expect(packed.batches.length).toBeLessThan(14);
    for (const { shape } of packed.batches) expect(shape).toEqual([1, length]);
    const targets = (batches: TokenBatch[]) =>
      batches.flatMap(({ targets }) => [...targets].filter((id) => id >= 0)).sort();
    expect(targets(packed.batches)).toEqual(targets(plain.batches));
    if (packing === 'best-fit') {
      const texts = (batches: TokenBatch[]) => batches.flatMap(documentsOf).sort();
      expect(texts(packed.batches)).toEqual(texts(plain.batches));
      const objective = plain.data.objective(plain.model.network);
      const [apart, together] = [
        await evaluate(objective, plain.batches),
        await evaluate(objective, packed.batches),
      ];
      expect(together.predicted).toBe(apart.predicted);
      expect(Math.abs(together.loss / apart.loss - 1)).toBeLessThan(1e-5);
    }
    // Errors name the places of examples in their file, counted from 1.
    const places = new Set(packed.batches.flatMap(({ examples }) => examples!));
    expect([...places].toSorted((a, b) => a - b)).toEqual(rows.map((_, n) => n + 1));
    plain.model.params.dispose();
    packed.model.params.dispose();
  });

  test.each(packing === 'best-fit' ? (['sft', 'lora', 'qlora'] as const) : (['sft'] as const))(
    '%s: interrupted, makes the losses of a run that is not, to the bit',
    async (method) => {
      const own = settings(packing, method);
      const config = parseFinetuneConfig({
        ...own,
        data: { ...own.data, validation: 0.2 },
        training: { ...own.training, accumulate: 2 },
        ...(method === 'sft' ? {} : { adapter: { rank: 2, dropout: 0.1 } }),
      });
      const run = async (storage: Memory, most = Number.POSITIVE_INFINITY) => {
        const model = createModel(configuration, { seed: 1, dtype: config.adapter?.weights });
        const data = await prepareFinetune(config, sources, model);
        const session = await Session.of(finetuneWork(config, data, model), storage);
        await session.begin();
        for (let made = 0; made < most && (await session.advance()); made++);
        await session.save();
        session.dispose();
        return storage;
      };
      const straight = await run(new Memory());
      const broken = await run(new Memory(), 2);
      expect(broken.losses).toHaveLength(2);
      const resumed = await run(broken);
      expect(resumed.losses).toHaveLength(4);
      expect(resumed.losses).toEqual(straight.losses);
      expect(resumed.validations).toEqual(straight.validations);
    },
  );

  test('a run of a file, interrupted, makes the losses of one that is not, to the bit', async () => {
    const text = Array.from({ length: 40 }, (_, n) => letters(n, 3 + (n % 9))).join('\n\n');
    const config = parseRunConfig({
      model: { dim: 16, heads: 2, layers: 1, context: 24, dropout: 0.1 },
      tokenizer: { kind: 'character' },
      data: { corpus: 'a.txt', packing },
      training: { steps: 5, batchSize: 2, learningRate: 0.01 },
    });
    const straight = await trainOn(text, config);
    const broken = await trainOn(text, config, { storage: new Memory(), most: 3 });
    expect(broken.losses).toHaveLength(3);
    const resumed = await trainOn(text, config, { storage: broken });
    expect(resumed.losses).toHaveLength(5);
    expect(resumed.losses).toEqual(straight.losses);
    expect(resumed.validations).toEqual(straight.validations);
  });
});

test('the plan is that of full rows', async () => {
  const plan = async (packing?: Packing) => {
    const config = parseFinetuneConfig(settings(packing));
    return planFinetune(config, encodeExamples(config, sources, configuration), configuration);
  };
  const [plain, packed] = [await plan(), await plan('best-fit')];
  expect(packed.weights).toBe(plain.weights);
  // A row reads 32 tokens, the longest chat 21.
  expect(packed.activations).toBeGreaterThan(1.2 * plain.activations);
});

test.each([
  [{ method: 'dpo', data: { packing: 'best-fit' } }, "finetune: unknown key 'data.packing'"],
  [{ method: 'mlm', data: { packing: 'best-fit' } }, "finetune: unknown key 'data.packing'"],
  [{ method: 'sft', data: { packing: 'none' } }, `finetune: 'data.packing' is "none"`],
  [
    { method: 'lora', data: { packing: 'concatenate' }, training: { batchTokens: 99 } },
    "'data.packing' is 'concatenate' and 'training.batchTokens' 99; packed rows have 'data.maxLength' tokens each: give 'training.batchSize'",
  ],
])('%j is refused by name', (given, message) => {
  expect(() => parseFinetuneConfig(given)).toThrow(message);
});
