import { createServer } from 'node:http';

/**
 * A server before another: it keeps what is asked and answered, and lets the next requests fail by its `faults`: a status, `'hang'` (no answer) or `'cut'`
 * (a connection that ends within the answer).
 */
export async function recordingProxy(target) {
  const [exchanges, faults] = [[], []];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const fault = faults.shift();
    if (fault === 'hang') return;
    if (fault === 'cut') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '99' });
      response.write('{"mod', () => response.destroy());
      return;
    }
    if (fault !== undefined) {
      response.writeHead(fault, { 'content-type': 'application/json', 'retry-after': '0' });
      response.end(JSON.stringify({ error: { message: `fault ${fault}` } }));
      return;
    }
    const { method, url } = request;
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${target}${url}`, { method, headers, body: body || undefined });
    const type = answer.headers.get('content-type');
    const text = await answer.text();
    exchanges.push({
      ...{ method, path: url, body: body === '' ? null : JSON.parse(body) },
      ...{ status: answer.status, type, answer: text },
    });
    response.writeHead(answer.status, { 'content-type': type });
    response.end(text);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    ...{ exchanges, faults },
    url: `http://127.0.0.1:${server.address().port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
