import { createModel } from '@headwise/models';
import { Server } from '@headwise/server';
import type { Contestants, Workload } from '@headwise/testing';
import { trainCharacter } from '@headwise/tokenizers';

/** Two layers of GPT-2 small: all of its twelve take as many times longer. */
const config = { model_type: 'gpt2', n_layer: 2 } as const;

/** Clients that ask at once, and the tokens that each gets. */
const clients = 8;
const newTokens = 16;

/** Tokens that all prompts begin with, and those of each one's own. */
const shared = 512;
const own = 8;

type Ask = (prompt: readonly number[], tokens: number) => Promise<void>;

/** A server over a random model, without a socket. */
async function served(prefixes: number): Promise<{ ask: Ask; close: () => Promise<void> }> {
  const model = createModel(config, { seed: 1 });
  const tokenizer = await trainCharacter(['a']);
  const server = new Server([{ name: 'model', model, tokenizer }], { limits: { prefixes } });
  const ask: Ask = async (prompt, tokens) => {
    const body = { model: 'model', prompt, max_tokens: tokens, temperature: 0 };
    const request = new Request('http://localhost/v1/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const response = await server.fetch(request);
    const text = await response.text();
    const made = (JSON.parse(text) as { usage?: { completion_tokens: number } }).usage;
    if (made?.completion_tokens !== tokens) throw new Error(`the server answered ${text}`);
  };
  const close = async () => {
    await server.close();
    model.params.dispose();
  };
  return { ask, close };
}

const promptOf = (client: number, length: number, from = 0) =>
  Array.from({ length }, (_, i) => (i * 7919 + (i < from ? 0 : client * 101) + 464) % 50_257);

/** Eight answers to clients that ask at once, or one after the other. */
async function batching(): Promise<Contestants> {
  const { ask, close } = await served(0);
  const prompts = Array.from({ length: clients }, (_, n) => promptOf(n, 24 + 8 * n));
  return {
    ours: () => Promise.all(prompts.map((prompt) => ask(prompt, newTokens))).then(() => {}),
    peers: {
      'one-by-one': async () => {
        for (const prompt of prompts) await ask(prompt, newTokens);
      },
    },
    dispose: () => void close(),
  };
}

/** The first token after a system prompt that an earlier request had too, and after one that nothing is kept of. */
async function sharing(): Promise<Contestants> {
  const [kept, plain] = [await served(2 ** 28), await served(0)];
  let count = 0;
  const first = (ask: Ask) => ask(promptOf(++count, shared + own, shared), 1);
  return {
    ours: () => first(kept.ask),
    peers: { plain: () => first(plain.ask) },
    dispose: () => void Promise.all([kept.close(), plain.close()]),
  };
}

export const workloads: Workload[] = [
  { name: 'serve/clients-8', backends: ['webgpu'], prepare: batching },
  { name: 'serve/prefix-512', backends: ['webgpu'], prepare: sharing },
];
