import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { serveFolder } from '../src/serve-folder.js';
import { headwise, program, repository, temporaryFolder } from './headwise.js';

let server: ChildProcess;
let url: string;

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** What the server answers; unlike fetch, this sends the path and the headers as they are. */
function answerTo(path: string, options: RequestOptions = {}): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((answered, failed) => {
    request({ hostname, port, path, agent: false, ...options }, async (response) => {
      const body = await buffer(response);
      answered({ status: response.statusCode!, headers: response.headers, body });
    })
      .on('error', failed)
      .end();
  });
}

beforeAll(async () => {
  server = spawn(process.execPath, [program, 'lab', '--port', '0', '--json'], { cwd: repository });
  url = await new Promise((found, failed) => {
    server.stdout!.once('data', (line: Buffer) => found(JSON.parse(line.toString()).url));
    server.once('exit', (code) => failed(new Error(`headwise lab ended with ${code}`)));
  });
});

afterAll(() => {
  server.kill();
});

test('the built lab is served, every file of its page as what it is', async () => {
  const page = await fetch(url);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const html = await page.text();
  expect(html).toContain('<title>Headwise lab</title>');
  const links = [...html.matchAll(/(?:src|href)="(\.\/[^"]+)"/g)].map(([, link]) => link!);
  expect(links.length).toBeGreaterThan(2);
  for (const link of links) {
    const file = await fetch(new URL(link, url));
    expect(file.status, link).toBe(200);
    expect(file.headers.get('content-type'), link).not.toBe('application/octet-stream');
    expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(0);
  }
});

test('text is compressed for those who take it, and whole without', async () => {
  const html = await (await fetch(url)).text();
  const script = new URL(/src="(\.\/assets\/[^"]+\.js)"/.exec(html)![1]!, url);
  const plain = await answerTo(script.pathname, { headers: { 'accept-encoding': 'identity' } });
  expect(plain.headers['content-length']).toBe(String(plain.body.length));
  const decoders = { br: brotliDecompressSync, gzip: gunzipSync };
  for (const [encoding, decode] of Object.entries(decoders)) {
    const packed = await answerTo(script.pathname, { headers: { 'accept-encoding': encoding } });
    expect(packed.headers).toMatchObject({ 'content-encoding': encoding, vary: 'accept-encoding' });
    expect(decode(packed.body)).toEqual(plain.body);
    expect(packed.body.length).toBeLessThan(plain.body.length / 2);
  }
  const refused = { 'accept-encoding': 'br;q=0, gzip;q=0' };
  const asked = await answerTo(script.pathname, { headers: refused });
  expect(asked.headers['content-encoding']).toBeUndefined();
});

test('every file comes with the policy that the page has, and with no frames allowed', async () => {
  const { headers, body } = await answerTo('/', { headers: { 'accept-encoding': 'identity' } });
  const [, inPage] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(String(body))!;
  expect(headers['content-security-policy']).toBe(
    `${inPage!.replaceAll('&#39;', "'")}; frame-ancestors 'none'`,
  );
  expect(headers['x-content-type-options']).toBe('nosniff');
});

test('on loopback only requests that name this machine are answered', async () => {
  const { port } = new URL(url);
  const statusFor = async (host: string) => (await answerTo('/', { headers: { host } })).status;
  for (const host of [
    `localhost:${port}`,
    '127.0.0.1',
    `[::1]:${port}`,
    'lab.localhost',
    'LOCALHOST',
  ]) {
    expect(await statusFor(host), host).toBe(200);
  }
  const others = [
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '10.0.0.1',
    '@',
    'evil.example@localhost',
    'localhost/evil.example',
    'localhost?evil.example',
  ];
  for (const host of others) expect(await statusFor(host), host).toBe(421);
});

test('the file of headers is not handed out, however its name is written', async () => {
  for (const path of ['/_headers', '/%5fheaders', '/assets/..%2f_headers', '/x%2f..%2f_headers']) {
    expect((await answerTo(path)).status, path).toBe(404);
  }
});

test('a link that leads out of the folder is not found, one within it is followed', async () => {
  const site = temporaryFolder();
  mkdirSync(join(site, 'lab'));
  writeFileSync(join(site, 'secret.txt'), 'secret');
  writeFileSync(join(site, 'lab', 'own.txt'), 'own');
  symlinkSync('../secret.txt', join(site, 'lab', 'file.txt'));
  symlinkSync('..', join(site, 'lab', 'up'));
  symlinkSync('own.txt', join(site, 'lab', 'same.txt'));
  const served = await serveFolder(join(site, 'lab'), { port: 0, host: '127.0.0.1' });
  const statusOf = async (path: string) => (await fetch(new URL(path, served.url))).status;
  expect(await statusOf('own.txt')).toBe(200);
  expect(await statusOf('same.txt')).toBe(200);
  expect(await statusOf('file.txt')).toBe(404);
  expect(await statusOf('up/secret.txt')).toBe(404);
});

test('nothing outside the lab is served', async () => {
  for (const path of ['/../main.js', '/..%2fmain.js', '/%2e%2e/main.js', '/a%00', '/%', '/none']) {
    expect((await answerTo(path)).status, path).toBe(404);
  }
  expect((await answerTo('/', { method: 'POST' })).status).toBe(405);
});

test('an address that other machines can reach prints a warning, and answers under any name', async () => {
  const args = [program, 'lab', '--port', '0', '--host', '0.0.0.0', '--json'];
  const open = spawn(process.execPath, args, { cwd: repository });
  onTestFinished(() => void open.kill());
  const warned = new Promise((said) => open.stderr.once('data', (line: Buffer) => said(`${line}`)));
  const [line] = await once(open.stdout, 'data');
  expect(await warned).toMatch(/warning: --host 0\.0\.0\.0 lets everyone/);
  const { port } = new URL(JSON.parse(`${line}`).url);
  const { status } = await answerTo('/', { port, headers: { host: 'lab.example' } });
  expect(status).toBe(200);
});

test('an invalid port is refused', () => {
  for (const port of ['70000', '-1', '1.5', '']) {
    const { code, stderr } = headwise(['lab', '--port', port]);
    expect(stderr, port).toMatch(/--port/);
    expect(stderr, port).not.toMatch(/\n\s+at /);
    expect(code, port).toBe(2);
  }
});

test('a port that is taken is said', () => {
  const { code, stderr } = headwise(['lab', '--port', new URL(url).port]);
  expect(stderr).toContain('the port is taken');
  expect(code).toBe(2);
});
