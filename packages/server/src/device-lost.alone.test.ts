import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

// A process of its own: a lost device would take the other tests' with it.
const program = `
  import { BackendError, currentDevice } from '@headwise/core';
  import { start } from '@headwise/kernels';
  import { createModel } from '@headwise/models';
  import { Server } from '@headwise/server';
  import { trainCharacter } from '@headwise/tokenizers';
  try { await start({ prefer: 'webgpu' }); } catch (e) {
    if (!(e instanceof BackendError)) throw e;
    console.log('NONE ' + e.message);
    process.exit(0);
  }
  const tokenizer = await trainCharacter(['abcdefgh ']);
  const sizes = { n_positions: 256, n_embd: 12, n_layer: 2, n_head: 3 };
  const { network } = createModel({ model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes }, { seed: 4 });
  const reports = [];
  const server = new Server([{ name: 'tiny', model: { network }, tokenizer }], { report: (e) => reports.push(e.name) });
  const ask = (path, body) => server.fetch(new Request('http://localhost' + path, body && {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  }));
  const answer = async (path, body) => {
    const response = await ask(path, body);
    const { status, reason, error } = await response.json();
    console.log(path, response.status, status, (reason ?? error?.message ?? '').includes('lost (destroyed)'), error?.code, error?.type);
  };
  await answer('/health');
  const request = { model: 'tiny', prompt: 'abc', max_tokens: 200, temperature: 0 };
  const whole = answer('/v1/completions', request);
  const stream = await ask('/v1/completions', { ...request, stream: true });
  const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
  await reader.read();
  currentDevice().gpu.destroy();
  let last = '';
  for (let next = await reader.read(); !next.done; next = await reader.read()) last = next.value;
  console.log('stream', JSON.parse(last.slice('data: '.length)).error.code);
  await whole;
  await answer('/health');
  await answer('/v1/completions', request);
  await answer('/v1/embeddings', { model: 'tiny', input: 'abc' });
  await answer('/v1/messages', { model: 'tiny', max_tokens: 1, messages: [{ role: 'user', content: 'a' }] });
  console.log((await ask('/v1/models')).status, JSON.stringify(server.load), reports.join());
  await server.close();
`;

test('once the device is lost, requests in flight and later ones end with 503, and so does /health', (context) => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=default', '--input-type=module', '--eval', program],
    { encoding: 'utf8', cwd: new URL('..', import.meta.url).pathname },
  );
  if (stdout.startsWith('NONE')) {
    if (process.env.CI) throw new Error(stdout);
    console.warn(`skipped: ${stdout}`);
    context.skip(stdout);
  }
  expect(`${stdout}${stderr.replace(/^Warning: max.*\n/gm, '')}`).toBe(
    [
      '/health 200 ok false undefined undefined',
      'stream device_lost',
      '/v1/completions 503 undefined true device_lost server_error',
      '/health 503 device lost true undefined undefined',
      '/v1/completions 503 undefined true device_lost server_error',
      '/v1/embeddings 503 undefined true device_lost server_error',
      '/v1/messages 503 undefined true undefined overloaded_error',
      '200 {"running":0,"waiting":0} DeviceLostError',
      '',
    ].join('\n'),
  );
});
