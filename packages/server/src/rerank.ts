import { isEncoder } from '@headwise/core';
import { type RankedText, rerank } from '@headwise/text';
import { rankedPairs } from '@headwise/text/internal';
import type { Hono } from 'hono';
import { z } from 'zod';
import { ApiError } from './http/api-error.js';
import { checkedBody, readJsonBody } from './http/body.js';
import { checkSequences, idleFields } from './openai/fields.js';
import type { Service } from './service.js';

const schema = z.strictObject({
  ...idleFields,
  model: z.string(),
  query: z.string(),
  documents: z.array(z.union([z.string(), z.strictObject({ text: z.string() })])).min(1),
  top_n: z.int().min(1).optional(),
  return_documents: z.boolean().optional(),
  // Of other servers in this form:
  truncate: z.boolean().optional(),
});

/** As many as of embeddings. */
const mostDocuments = 2048;
/** Answers of others go on between so many. */
const documentsAtOnce = 64;

/**
 * `POST /v1/rerank`: documents by how well they answer a query, in the form of Jina's and Cohere's APIs.
 *
 * @see https://jina.ai/reranker; https://docs.cohere.com/reference/rerank
 */
export function addRerank(app: Hono, service: Service): void {
  app.post('/v1/rerank', async (context) => {
    const { signal } = context.req.raw;
    const body = checkedBody(schema, await readJsonBody(context.req.raw, service.limits));
    const { model, tokenizer, name } = service.modelNamed(body.model);
    if (!isEncoder(model.network)) {
      throw new ApiError(400, `the model '${name}' writes texts; expected a cross-encoder`, {
        param: 'model',
        code: 'model_not_supported',
      });
    }
    const { query, truncate, top_n: topN, return_documents: returned = true } = body;
    checkSequences(body.documents.length, mostDocuments);
    const texts = body.documents.map((one) => (typeof one === 'string' ? one : one.text));
    const pairs = rankedPairs(model, tokenizer, query, texts, { truncate });
    const ranked: RankedText[] = [];
    for (let from = 0; from < texts.length; from += documentsAtOnce) {
      const some = texts.slice(from, from + documentsAtOnce);
      const work = () => rerank(model, tokenizer, query, some, { truncate, signal });
      const found = await service.engine.run(work, signal);
      ranked.push(...found.map(({ index, score }) => ({ index: from + index, score })));
    }
    ranked.sort((a, b) => b.score - a.score || a.index - b.index);
    const tokens = pairs.reduce((sum, { ids }) => sum + ids.length, 0);
    service.countTokens.prompt(tokens);
    return context.json({
      model: name,
      results: ranked.slice(0, topN).map(({ index, score }) => ({
        index,
        relevance_score: score,
        ...(returned ? { document: { text: texts[index] } } : {}),
      })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  });
}
