import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  CutStreamError,
  ServerModelError,
  type ServerModelOptions,
  serverModel,
  type WrittenText,
} from '../index.js';
import { eventData } from './event-data.js';
import { status, tinyServer } from './tiny-server.cases.js';

const { faults, seen, url, close } = await tinyServer();
afterAll(close);
beforeEach(() => {
  faults.length = 0;
  seen.length = 0;
});

const remote = (more: Partial<ServerModelOptions> = {}) =>
  serverModel({ url, model: 'tiny', wait: 1, ...more });
const options = { maxNewTokens: 6, temperature: 0.8, seed: 3 };

async function drained(stream: AsyncGenerator<string, WrittenText>) {
  const pieces: string[] = [];
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return { pieces, written: value };
    pieces.push(value);
  }
}

/** A stream of given events, each in a piece of its own. */
const events = (...data: string[]) => {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    start: (to) => {
      for (const one of data) to.enqueue(encoder.encode(`data: ${one}\n\n`));
      to.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
};
const piece = (text: string, model = 'tiny') => JSON.stringify({ model, choices: [{ text }] });

describe('a text in pieces', () => {
  test('is the text that comes at once, of texts and of chats', async () => {
    for (const prompt of ['You may', [{ role: 'user', content: 'Hi' }]]) {
      const [whole] = await remote().write([prompt], options);
      const { pieces, written } = await drained(remote().stream(prompt, options));
      expect(written).toEqual(whole);
      expect(pieces.join('')).toBe(whole!.text);
      expect(pieces.length).toBeGreaterThan(1);
    }
  });

  test('begins after requests that are tried again: 429, 500, and one that is not answered', async () => {
    const { written } = await drained(remote().stream('You may', options));
    seen.length = 0;
    faults.push(status(429, { 'retry-after': '0' }), status(500));
    const again = await drained(remote().stream('You may', options));
    expect(again.written).toEqual(written);
    expect(seen).toHaveLength(3);
    faults.push(status(503));
    await expect(remote({ retries: 0 }).stream('a').next()).rejects.toThrow(
      `${url}/completions: status 503: fault 503`,
    );
    faults.push(...[1, 2].map(() => () => new Promise<Response>(() => {})));
    await expect(remote({ retries: 1, timeout: 20 }).stream('a').next()).rejects.toThrow(
      `${url}/completions: no answer within 20 ms, after 2 requests`,
    );
  });

  test('left before its end frees its place, and the server ends the work', async () => {
    const one = remote({ concurrent: 1 });
    for await (const _ of one.stream('You may', { ...options, maxNewTokens: 200 })) break;
    const { written } = await drained(one.stream('You may', options));
    expect(written.tokens).toBe(6);
  });

  test('ends by a signal, with its reason', async () => {
    const stop = new AbortController();
    const stream = remote().stream('You may', { ...options, signal: stop.signal });
    await stream.next();
    stop.abort(new Error('enough'));
    await expect(drained(stream)).rejects.toThrow('enough');
  });
});

describe('a stream that is cut is a CutStreamError with the text so far', () => {
  const cutOf = async (stream: AsyncGenerator<string, WrittenText>) => {
    const pieces: string[] = [];
    const error = await (async () => {
      for await (const one of stream) pieces.push(one);
    })().catch((thrown) => thrown);
    expect(error).toBeInstanceOf(CutStreamError);
    expect(error).toBeInstanceOf(ServerModelError);
    expect(error.name).toBe('CutStreamError');
    expect(error.text).toBe(pieces.join(''));
    return error as CutStreamError;
  };

  test('where it ends without its last event', async () => {
    faults.push(() => events(piece('Call'), piece(' me')));
    const error = await cutOf(remote().stream('You may', options));
    expect([error.text, error.message]).toEqual([
      'Call me',
      `${url}/completions: the stream ended after 7 characters of the text: there is no event '[DONE]'`,
    ]);
  });

  test('where the connection is lost', async () => {
    const losing = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${piece('Call')}\n\ndata: {"mod`, () => response.destroy());
    });
    await new Promise<void>((listening) => losing.listen(0, '127.0.0.1', listening));
    const { port } = losing.address() as AddressInfo;
    const stream = remote({ url: `http://127.0.0.1:${port}/v1` }).stream('You may', options);
    const error = await cutOf(stream);
    expect(error.message).toMatch(/the stream ended after \d characters of the text: \w+/);
    losing.close();
  });
});

test('a stream of another model, of errors and of something else is an error that says what came', async () => {
  const fails = async (...data: string[]) => {
    faults.push(() => events(...data));
    return expect(drained(remote().stream('a'))).rejects;
  };
  await (await fails(piece('a', 'large'))).toThrow(
    `${url}/completions: the answer is of the model 'large'; expected 'tiny'`,
  );
  await (await fails(piece('a'), '{"error": {"message": "out of memory"}}')).toThrow(
    `${url}/completions: out of memory`,
  );
  await (await fails('{"choices')).toThrow('an event of the stream is not JSON: {"choices');
  await (await fails('{"model": "tiny"}')).toThrow('an event of the stream has no choices');
  faults.push(() => Response.json({ model: 'tiny' }));
  await expect(drained(remote().stream('a'))).rejects.toThrow(
    `${url}/completions: the answer is application/json; expected a stream, text/event-stream`,
  );
  expect(seen).toHaveLength(5);
});

test('events are read however they are cut into pieces, with any line ends', async () => {
  const text = ': note\r\n\r\ndata: ä\r\n\r\nid: 1\ndata:b\ndata: c\n\n\ndata: d\r\rdata: end';
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size <= bytes.length; size++) {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (to) => {
        for (let at = 0; at < bytes.length; at += size) to.enqueue(bytes.slice(at, at + size));
        to.close();
      },
    });
    const read: string[] = [];
    for await (const data of eventData(body)) read.push(data);
    expect(read, `pieces of ${size} bytes`).toEqual(['ä', 'b\nc', 'd']);
  }
});
