import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commit, Folder } from '@headwise/files';
import { afterEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { RayClient, type RayOptions } from './client.js';
import { packageOf } from './package.js';
import { dataLines, recordLine, sha256 } from './records.js';
import { type Job, runJob } from './run-job.js';
import { SentFolder } from './sent-folder.js';
import { packageVersions, versionProblem } from './spec.js';

const temporary = () => mkdtemp(join(tmpdir(), 'ray-'));

/** How a server answers, as a Ray dashboard does unless told otherwise. */
interface Behaviour {
  answer?: Record<string, [status: number, body: string]>;
  /** The log of the job, and how each connection that follows it goes on. */
  log?: string;
  tail?: (socket: WebSocket, log: string, connection: number) => void;
  status?: string;
  message?: string;
}

const open: { server: Server; sockets: WebSocketServer }[] = [];
afterEach(() => {
  for (const { server, sockets } of open.splice(0)) {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  }
});

async function ray(behaviour: Behaviour = {}, options: RayOptions = { patience: 300 }) {
  const requests: string[] = [];
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    const { method, url } = request;
    const line = `${method} ${url!.replace(/_ray_pkg_\w+\.zip|headwise_[\w-]+/, 'X')}`;
    requests.push(line);
    const parts: Buffer[] = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      bodies.push(Buffer.concat(parts));
      const { status = 'SUCCEEDED', message = '', log = '' } = behaviour;
      const usual: Behaviour['answer'] = {
        'GET /api/version': [200, '{"version":"4","ray_version":"2.60.0"}'],
        'GET /api/packages/gcs/X': [404, 'Package does not exist'],
        'PUT /api/packages/gcs/X': [200, ''],
        'POST /api/jobs/': [200, '{"submission_id":"X"}'],
        'POST /api/jobs/X/stop': [200, '{"stopped":true}'],
        'GET /api/jobs/X': [200, JSON.stringify({ status, message })],
        'GET /api/jobs/X/logs': [200, JSON.stringify({ logs: log })],
      };
      const [code, body] = { ...usual, ...behaviour.answer }[line] ?? [404, 'not found'];
      response.writeHead(code).end(body);
    });
  });
  const sockets = new WebSocketServer({ server });
  let connections = 0;
  sockets.on('connection', (socket, request) => {
    // As Ray's proxy does: its messages cannot be compressed.
    if (request.headers['sec-websocket-extensions'] !== undefined) return socket.close();
    const { log = '', tail } = behaviour;
    if (tail) tail(socket, log, connections++);
    else socket.send(log, () => socket.close());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push({ server, sockets });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { client: new RayClient(address, options), address, requests, bodies, server, sockets };
}

async function jobOf(client: RayClient, folder?: string) {
  const lines: string[] = [];
  const notes: string[] = [];
  const job: Job = {
    ...{ client, program: 'headwise', cpus: 1, files: {}, name: 'run', folder },
    spec: { versions: packageVersions(), node: process.version, args: ['train'] },
    stop: new AbortController().signal,
    onLine: (line) => lines.push(line),
    onNote: (line) => notes.push(line),
  };
  return { job, lines, notes };
}

const begin = recordLine({
  type: 'begin',
  out: '/there/out',
  inputs: '/pkg',
  node: process.version,
});
const end = (code: number) => recordLine({ type: 'end', code, signal: null });
const file = (name: string, text: string, hash = sha256(Buffer.from(text))) =>
  [recordLine({ type: 'file', name, sha256: hash }), ...dataLines(Buffer.from(text))].join('');

test('a job is packed, submitted and followed, and its files come back under the names of this machine', async () => {
  const folder = join(await temporary(), 'run');
  const log = [
    'Running entrypoint\n',
    begin,
    'the model is in /there/out, of /pkg/in/x\n',
    file('config.json', '{}'),
    file('trainer/state', 'a'.repeat(30_000)),
    recordLine({ type: 'commit', names: ['config.json', 'trainer/state'], whole: true }),
    end(0),
  ].join('');
  const { client, requests, bodies } = await ray({ log });
  const { job, lines, notes } = await jobOf(client, folder);
  expect(await runJob(job)).toEqual({ code: 0, how: 'exit code 0' });
  expect(lines).toEqual(['the model is in run, of in/x']);
  expect(notes).toEqual(['Running entrypoint']);
  expect(requests.slice(0, 3)).toEqual([
    'GET /api/packages/gcs/X',
    'PUT /api/packages/gcs/X',
    'POST /api/jobs/',
  ]);
  const request = JSON.parse(bodies[2]!.toString());
  expect(request).toMatchObject({ entrypoint: 'headwise job job.json', entrypoint_num_cpus: 1 });
  expect(request.runtime_env.working_dir).toMatch(/^gcs:\/\/_ray_pkg_[\da-f]{40}\.zip$/);
  const back = await Folder.open(folder);
  expect((await back.names()).sort()).toEqual(['config.json', 'trainer/state']);
  expect((await back.readRequired('trainer/state')).length).toBe(30_000);
});

test.each<[string, Behaviour, RegExp]>([
  [
    'not Ray',
    { answer: { 'GET /api/version': [404, 'no'] } },
    /does not answer as Ray does \(GET \/api\/version: 404\)/,
  ],
  [
    'a page',
    { answer: { 'GET /api/version': [200, '<html>'] } },
    /\/api\/version: the answer is not a JSON object/,
  ],
  [
    'an old Ray',
    { answer: { 'GET /api/version': [200, '{"ray_version":"2.1.0"}'] } },
    /runs Ray 2\.1\.0; expected 2\.9 or newer/,
  ],
  [
    'a token',
    { answer: { 'GET /api/version': [401, ''] } },
    /refuses GET \/api\/version \(401\); set RAY_AUTH_TOKEN/,
  ],
])('%s is refused by name', async (_, behaviour, message) => {
  const { client } = await ray(behaviour);
  await expect(client.checkVersion()).rejects.toThrow(message);
});

test('an address that does not answer, or is not one, is refused by name', async () => {
  const { client, address, server } = await ray();
  await new Promise((done) => server.close(done));
  await expect(client.checkVersion()).rejects.toThrow(
    `${address}: does not answer GET /api/version: ECONNREFUSED`,
  );
  for (const bad of ['8265', 'ray://head:10001', '']) {
    expect(() => new RayClient(bad)).toThrow(/expected the address of a Ray dashboard/);
  }
});

const traceback =
  'Traceback (most recent call last):\n  File "x"\nRuntimeError: Failed to store package';

test.each<[string, Behaviour, RegExp]>([
  [
    'an upload that fails',
    { answer: { 'PUT /api/packages/gcs/X': [500, traceback] } },
    /PUT .*\.zip: 500 RuntimeError: Failed to store package$/,
  ],
  [
    'a package store that fails',
    { answer: { 'GET /api/packages/gcs/X': [500, traceback] } },
    /GET .*\.zip: 500 RuntimeError/,
  ],
  [
    'a job that is refused',
    { answer: { 'POST /api/jobs/': [400, 'bad runtime_env'] } },
    /POST \/api\/jobs\/: 400 bad runtime_env$/,
  ],
  [
    'a proxy without its cluster',
    { answer: { 'POST /api/jobs/': [503, 'down'] } },
    /POST \/api\/jobs\/: 503 down$/,
  ],
  [
    'a job that is forgotten',
    { answer: { 'GET /api/jobs/X': [404, 'Job does not exist'] } },
    /404 Job does not exist \(job headwise_/,
  ],
  [
    'other versions',
    { log: recordLine({ type: 'refused', problem: 'the cluster has other versions: headwise 9' }) },
    /other versions: headwise 9 \(job headwise_/,
  ],
  [
    'no headwise there',
    { status: 'FAILED', message: 'Job entrypoint command failed with exit code 127, last log:' },
    /the cluster has no 'headwise'; install headwise there/,
  ],
])('%s is an error by name, and leaves no folder', async (_, behaviour, message) => {
  const place = await temporary();
  const { client } = await ray(behaviour);
  const { job } = await jobOf(client, join(place, 'run'));
  await expect(runJob(job)).rejects.toThrow(message);
  expect(readdirSync(place)).toEqual([]);
});

test('a log whose connection breaks is followed on, without a line twice', async () => {
  const log = `${begin}${Array.from({ length: 50 }, (_, i) => `line ${i} ünï\n`).join('')}${end(0)}`;
  const { client } = await ray({
    log,
    status: 'RUNNING',
    tail(socket, text, connection) {
      // Each connection breaks later, in the middle of a line.
      const far = Math.min(text.length, 300 * (connection + 1) + 7);
      socket.send(text.slice(0, 60));
      socket.send(text.slice(60, far), () => socket.terminate());
    },
    answer: { 'GET /api/jobs/X/logs': [500, ''] },
  });
  const seen: string[] = [];
  try {
    for await (const text of client.follow('headwise_x')) {
      seen.push(text);
      if (seen.join('').length === log.length) break;
    }
  } finally {
    expect(seen.join('')).toBe(log);
  }
});

test('a cluster that dies in the middle of a file leaves what was whole before', async () => {
  const folder = join(await temporary(), 'run');
  await commit(folder, { write: { model: 'before', other: 'stays' } });
  const { client, address } = await ray({
    status: 'RUNNING',
    log: `${begin}${file('model', 'x'.repeat(20_000)).slice(0, 15_000)}`,
    tail(socket, log) {
      socket.send(log, () => {
        const [{ server, sockets }] = open as [(typeof open)[0]];
        for (const client of sockets.clients) client.terminate();
        server.closeAllConnections();
        server.close();
      });
    },
  });
  const { job } = await jobOf(client, folder);
  await expect(runJob(job)).rejects.toThrow(
    new RegExp(`^${address}: does not answer GET /api/jobs/headwise_[\\w-]+: ECONNREFUSED \\(job`),
  );
  const back = await Folder.open(folder);
  expect(Buffer.from(await back.readRequired('model')).toString()).toBe('before');
  expect(readdirSync(folder).sort()).toEqual(['headwise-manifest.json', 'model', 'other']);
});

test.each([
  [
    'damaged',
    file('model', 'new', sha256(Buffer.from('other'))),
    true,
    /has not come back as it was sent/,
  ],
  ['outside', file('../model', 'new'), true, /leads out of the folder/],
  ['outside loosely', file('../model', 'new'), false, /leads out of the folder/],
])(
  'a file that comes back %s is refused, and what was there stays',
  async (_, lines, whole, message) => {
    const place = await temporary();
    const folder = join(place, 'run');
    await commit(folder, { write: { model: 'before' } });
    const names = lines.includes('../') ? ['../model'] : ['model'];
    const { client } = await ray({
      log: `${begin}${lines}${recordLine({ type: 'commit', names, whole })}${end(0)}`,
    });
    const { job } = await jobOf(client, folder);
    await expect(runJob(job)).rejects.toThrow(message);
    expect(readdirSync(place)).toEqual(['run']);
    expect(readFileSync(join(folder, 'model'), 'utf8')).toBe('before');
  },
);

test('a worker that is killed is told from a command that fails', async () => {
  // As Ray says it, with the end of the log, which holds files.
  const failed = (code: number, log: string) =>
    `Job entrypoint command failed with exit code ${code}, last available logs (truncated to 20,000 chars):\n${log}`;
  const notBegun = "node:internal/modules\nError: Cannot find module '/opt/main.js'\n\n";
  const ends: [Behaviour, { code: number | null; how: string }][] = [
    [
      { log: begin, status: 'FAILED', message: failed(137, file('state', 'x'.repeat(3000))) },
      { code: null, how: 'Job entrypoint command failed with exit code 137' },
    ],
    [
      { log: notBegun, status: 'FAILED', message: failed(1, notBegun) },
      {
        code: null,
        how: "Job entrypoint command failed with exit code 1\n  node:internal/modules\n  Error: Cannot find module '/opt/main.js'",
      },
    ],
    [
      { log: begin, status: 'FAILED', message: 'exit code -9' },
      { code: null, how: 'exit code -9' },
    ],
    [
      { log: begin + recordLine({ type: 'end', code: null, signal: 'SIGKILL' }) },
      { code: null, how: 'SIGKILL' },
    ],
    [
      { log: begin + end(2), status: 'FAILED' },
      { code: 2, how: 'exit code 2' },
    ],
  ];
  for (const [behaviour, expected] of ends) {
    const { client } = await ray(behaviour);
    expect(await runJob((await jobOf(client)).job)).toEqual(expected);
  }
});

test('states of a folder are sent once, moved files by name alone, and never half', async () => {
  const [place, here] = [await temporary(), await temporary()];
  const lines: string[] = [];
  const there = join(place, 'out');
  await commit(there, { write: { state: 'one', gone: 'x' } });
  const sent = await SentFolder.of(there, (line) => lines.push(line));
  await sent.sendWhole();
  expect(lines).toEqual([]);
  await commit(there, {
    write: { state: 'two', new: 'n' },
    keep: { state: 'before' },
    remove: (name) => name === 'gone',
  });
  await sent.sendWhole();
  await sent.sendWhole();
  const log = `${begin}${lines.join('')}${end(0)}`;
  expect(lines.filter((line) => line.startsWith('@headwise+'))).toHaveLength(2);
  const folder = join(here, 'run');
  await commit(folder, { write: { state: 'one', gone: 'x' } });
  const { client } = await ray({ log });
  await runJob((await jobOf(client, folder)).job);
  const back = await Folder.open(folder);
  const names = (await back.names()).sort();
  const contents = await Promise.all(
    names.map(async (name) => Buffer.from(await back.readRequired(name)).toString()),
  );
  expect(names).toEqual(['before', 'new', 'state']);
  expect(contents).toEqual(['one', 'n', 'two']);
});

test("a unit's report is sent after its documents, and what is being written is not", async () => {
  const folder = join(await temporary(), 'out');
  const lines: string[] = [];
  const sent = await SentFolder.of(folder, (line) => lines.push(line));
  await sent.sendFiles();
  for (const part of ['documents', 'units']) mkdirSync(join(folder, part), { recursive: true });
  for (const name of ['units/00000.json', 'documents/00000.jsonl', 'documents/.00001.tmp']) {
    writeFileSync(join(folder, name), 'x');
  }
  await sent.sendFiles();
  await sent.sendFiles();
  const names = lines.flatMap((line) => /"type":"file","name":"([^"]+)"/.exec(line)?.[1] ?? []);
  expect(names).toEqual(['documents/00000.jsonl', 'units/00000.json']);
});

test('the same files make the same package, and versions that differ are named', () => {
  const files = { 'b/c': Buffer.from('1'), a: Buffer.from('2') };
  const again = { a: Buffer.from('2'), 'b/c': Buffer.from('1') };
  expect(packageOf(again)).toEqual(packageOf(files));
  expect(packageOf({ a: Buffer.from('3') }).name).not.toBe(packageOf(files).name);
  const here = packageVersions();
  expect(here['@headwise/runs']).toMatch(/^\d/);
  expect(versionProblem(here, { ...here })).toBeUndefined();
  expect(versionProblem({ headwise: '1.2.0', a: '1' }, { headwise: '1.1.0', a: '1' })).toBe(
    'the cluster has other versions: headwise 1.1.0 (here 1.2.0); expected the same: npm install --global headwise@1.2.0',
  );
});
