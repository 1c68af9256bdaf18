import { type ChildProcess, spawn } from 'node:child_process';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headwise, program, repository } from './headwise.js';

let server: ChildProcess;
let url: string;

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
    expect(Number(file.headers.get('content-length'))).toBe((await file.arrayBuffer()).byteLength);
  }
});

test('nothing outside the lab is served', async () => {
  const statusOf = (path: string, method = 'GET') =>
    new Promise<number>((answered, failed) => {
      const { hostname, port } = new URL(url);
      // Unlike fetch, this sends the path as it is.
      request({ hostname, port, path, method }, (response) => {
        response.resume();
        answered(response.statusCode!);
      })
        .on('error', failed)
        .end();
    });
  for (const path of ['/../main.js', '/..%2fmain.js', '/%2e%2e/main.js', '/a%00', '/%', '/none']) {
    expect(await statusOf(path), path).toBe(404);
  }
  expect(await statusOf('/', 'POST')).toBe(405);
});

test('a port that is taken is said', () => {
  const { code, stderr } = headwise(['lab', '--port', new URL(url).port]);
  expect(stderr).toContain('the port is taken');
  expect(code).toBe(2);
});
