import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { Server } from '@headwise/server';
import { trainCharacter } from '@headwise/tokenizers';

await start();
const tokenizer = await trainCharacter(['Call me Ishmael.']);
const sizes = {
  vocab_size: tokenizer.vocabSize,
  n_positions: 16,
  n_embd: 16,
  n_layer: 1,
  n_head: 2,
};
const model = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });
// Or const { model, tokenizer } = await load(folder), of @headwise/text/node.
const server = new Server([{ name: 'tiny', model, tokenizer }], { limits: { running: 16 } });

// In Node.js: serve({ fetch: server.fetch, hostname: '127.0.0.1', port: 8080 }), of @hono/node-server.
const request = new Request('http://localhost/v1/completions', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'tiny', prompt: 'Call me', max_tokens: 5, temperature: 0 }),
});
const { usage } = (await (await server.fetch(request)).json()) as { usage: object };
console.log(usage); // { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 }
await server.close();
