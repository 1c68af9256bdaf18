import { embed } from '@headwise/text';
import { embeddedIds } from '@headwise/text/internal';
import type { Hono } from 'hono';
import { z } from 'zod';
import { ApiError } from '../http/api-error.js';
import { checkedBody, readJsonBody } from '../http/body.js';
import type { Service } from '../service.js';
import { checkSequences, idleFields, refuseFields } from './fields.js';

const ids = z.array(z.int().min(0)).min(1);

const schema = z.strictObject({
  ...idleFields,
  model: z.string(),
  input: z.union([z.string(), z.array(z.string()).min(1), ids, z.array(ids).min(1)], {
    error: 'expected a text, ids of tokens, or a list of either',
  }),
  encoding_format: z.enum(['float', 'base64']).optional(),
  dimensions: z.int().min(1).optional(),
  // Not of OpenAI, but of other servers in its form:
  truncate: z.boolean().optional(),
});

const refused = {
  input_type: 'all inputs are read alike; leave it out',
};

/** OpenAI's limit, which clients fill. */
const mostInputs = 2048;
/** Answers of others go on between so many. */
const inputsAtOnce = 64;

/**
 * `POST /v1/embeddings`: one vector of length 1 for each input, pooled from its hidden states.
 *
 * @see https://platform.openai.com/docs/api-reference/embeddings/create
 */
export function addEmbeddings(app: Hono, service: Service): void {
  app.post('/v1/embeddings', async (context) => {
    const { signal } = context.req.raw;
    const json = await readJsonBody(context.req.raw, service.limits);
    refuseFields(json, refused);
    const body = checkedBody(schema, json);
    const { model, tokenizer, name } = service.modelNamed(body.model);
    const { truncate } = body;
    const sequences = embeddedIds(model, tokenizer, listOf(body.input), { truncate });
    checkSequences(sequences.length, mostInputs);
    const vectors: Float32Array[] = [];
    for (let from = 0; from < sequences.length; from += inputsAtOnce) {
      const some = sequences.slice(from, from + inputsAtOnce);
      const work = () => embed(model, tokenizer, some, { normalize: true, signal });
      vectors.push(...(await service.engine.run(work, signal)));
    }
    checkDimensions(body.dimensions, vectors[0]!.length);
    const tokens = sequences.reduce((sum, { length }) => sum + length, 0);
    service.countTokens.prompt(tokens);
    const encode = body.encoding_format === 'base64' ? base64 : (v: Float32Array) => [...v];
    return context.json({
      object: 'list',
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: encode(vector),
      })),
      model: name,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  });
}

type Input = z.infer<typeof schema>['input'];

function listOf(input: Input): readonly (string | readonly number[])[] {
  const one = typeof input === 'string' || typeof input[0] === 'number';
  return (one ? [input] : input) as readonly (string | readonly number[])[];
}

function checkDimensions(wanted: number | undefined, dim: number): void {
  if (wanted === undefined || wanted === dim) return;
  throw new ApiError(
    400,
    `'dimensions' is ${wanted}; the model's vectors have ${dim} and are not shortened`,
    { param: 'dimensions' },
  );
}

/** Little-endian float32, as clients expect it. */
function base64(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [i, value] of vector.entries()) view.setFloat32(i * 4, value, true);
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}
