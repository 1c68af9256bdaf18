import { createModel, encoderModel } from '@headwise/models';
import { rerank } from '@headwise/text';
import { trainCharacter } from '@headwise/tokenizers';
import { expect, onTestFinished, test } from 'vitest';
import { serveFixture } from '../fixture/serve-fixture.js';

async function open() {
  const tokenizer = await trainCharacter(['abcdefgh ']);
  const sizes = { hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2 };
  const config = {
    ...{ model_type: 'bert', architectures: ['BertForSequenceClassification'], num_labels: 1 },
    ...{ vocab_size: tokenizer.vocabSize, ...sizes, intermediate_size: 8 },
    ...{ max_position_embeddings: 32, initializer_range: 0.5 },
  } as const;
  const { network, params } = encoderModel(createModel(config, { seed: 1 }));
  const bare = encoderModel(
    createModel({ ...config, architectures: ['BertModel'], num_labels: undefined }, { seed: 1 }),
  );
  const model = { network, reranking: { activation: 'none' as const } };
  const more = [
    { name: 'judge', model, tokenizer },
    { name: 'reader', model: { network: bare.network }, tokenizer },
  ];
  const fixture = await serveFixture({ more });
  onTestFinished(async () => {
    await fixture.close();
    params.dispose();
    bare.params.dispose();
  });
  const ask = async (body: object) => {
    const response = await fetch(`${fixture.url}/v1/rerank`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'judge', query: 'abc', ...body }),
    });
    return { status: response.status, json: (await response.json()) as never };
  };
  return { ask, model, tokenizer };
}

test('documents of both forms come back by the scores that the model gives alone', async () => {
  const { ask, model, tokenizer } = await open();
  // More than are read at once.
  const texts = Array.from({ length: 70 }, (_, i) =>
    'abcdefgh '.repeat(3).slice(i % 9, 9 + (i % 17)),
  );
  const expected = await rerank(model, tokenizer, 'abc', texts);
  const whole = await ask({ documents: texts, return_documents: false });
  expect(whole.status).toBe(200);
  const { results, usage } = whole.json as {
    results: { index: number; relevance_score: number }[];
    usage: object;
  };
  expect(results.map(({ index }) => index)).toEqual(expected.map(({ index }) => index));
  for (const [n, { relevance_score: score }] of results.entries()) {
    expect(score).toBeCloseTo(expected[n]!.score, 5);
  }
  const tokens = texts.reduce((sum, text) => sum + 3 + text.length, 0);
  expect(usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });

  const documents = texts.map((text) => ({ text }));
  const two = await ask({ documents, top_n: 2, user: 'somebody' });
  expect(two.json).toMatchObject({
    model: 'judge',
    results: results.slice(0, 2).map((one) => ({ ...one, document: { text: texts[one.index] } })),
  });
  const cut = await ask({ documents: ['abc '.repeat(20)], truncate: true });
  expect(cut.json).toMatchObject({ usage: { prompt_tokens: 32 } });
});

test('what cannot be ranked is refused by name', async () => {
  const { ask } = await open();
  const documents = ['abc'];
  const refused: [object, RegExp][] = [
    [{ documents: [] }, /documents/],
    [{ documents, top_n: 0 }, /top_n/],
    [{ documents, max_tokens_per_doc: 3 }, /'max_tokens_per_doc'/],
    [{ documents: ['abc '.repeat(20)] }, /texts\[0\] and the query have 83 tokens; .* holds 32/],
    [{ documents, model: 'tiny' }, /'tiny' writes texts; expected a cross-encoder/],
    [{ documents, model: 'reader' }, /gives no logits; expected one score/],
  ];
  for (const [body, message] of refused) {
    const { status, json } = await ask(body);
    expect(status, JSON.stringify(body).slice(0, 60)).toBe(400);
    expect((json as { error: { message: string } }).error.message).toMatch(message);
  }
  expect((await ask({ documents, model: 'other' })).status).toBe(404);
});
