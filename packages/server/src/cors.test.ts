import { expect, onTestFinished, test } from 'vitest';
import { serveFixture } from '../fixture/serve-fixture.js';

const page = 'https://page.example';

async function asking(origins: string[] | undefined) {
  const { url, close } = await serveFixture({ origins, apiKey: 'secret' });
  onTestFinished(() => close());
  return async (method: 'OPTIONS' | 'POST', origin: string) => {
    const asked = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    };
    const response = await fetch(`${url}/v1/completions`, {
      method,
      headers: { origin, ...(method === 'OPTIONS' ? asked : {}) },
    });
    await response.body?.cancel();
    const allowed = (name: string) => response.headers.get(`access-control-allow-${name}`);
    const exposed = response.headers.get('access-control-expose-headers');
    return {
      status: response.status,
      exposed,
      origin: allowed('origin'),
      headers: allowed('headers'),
    };
  };
}

test('pages of the origins that are named may ask, preflights without a key, and read errors', async () => {
  const ask = await asking([page]);
  expect(await ask('OPTIONS', page)).toMatchObject({
    status: 204,
    origin: page,
    headers: 'authorization,content-type',
  });
  expect(await ask('POST', page)).toMatchObject({
    status: 401,
    origin: page,
    exposed: 'retry-after',
  });
  for (const method of ['OPTIONS', 'POST'] as const) {
    expect((await ask(method, 'https://other.example')).origin).toBe(null);
  }
});

test('without origins no page may ask, and * lets all in', async () => {
  const none = await asking(undefined);
  expect(await none('OPTIONS', page)).toMatchObject({ status: 401, origin: null });
  const all = await asking(['*']);
  expect(await all('OPTIONS', page)).toMatchObject({ status: 204, origin: '*' });
});
