// Runs sweeps and jobs on a real Ray of this machine, on loopback: `pnpm test:ray`, after `pnpm build`.
// Ray is Python's: `pip install "ray[default]"` in an environment of its own, named by HEADWISE_RAY (its `ray` program) or on the path.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

const program = fileURLToPath(new URL('../apps/cli/dist/main.js', import.meta.url));
const ray = process.env.HEADWISE_RAY ?? 'ray';
const found = spawnSync(ray, ['--version'], { encoding: 'utf8' });
if (found.status !== 0) {
  console.log(
    `test:ray: '${ray} --version' does not run (${found.error?.code ?? found.status}), so nothing is tested. ` +
      'pip install "ray[default]" in an environment, and name its program in HEADWISE_RAY.',
  );
  process.exit(process.env.HEADWISE_RAY === undefined ? 0 : 1);
}
console.log(`${found.stdout.trim()}, Node.js ${process.version}`);

const work = mkdtempSync(join(tmpdir(), 'headwise-ray-'));
/** Where jobs have their folders while they run. */
const ofJobs = join(work, 'tmp');
mkdirSync(ofJobs);
const rayFolder = mkdtempSync('/tmp/hr-'); // Ray puts sockets there, whose paths must be short
const [dashboard, gcs, agent, client] = await freePorts(4);
const address = `http://127.0.0.1:${dashboard}`;
const onRay = ['--ray', address, '--program', `${process.execPath} ${program}`];
const env = { ...process.env, HEADWISE_BACKEND: 'cpu', RAY_DISABLE_USAGE_STATS: '1' };

const begun = new Date();
const stopRay = await startRay();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await stopRay();
    process.exit(130);
  });
}
const tests = {};
try {
  for (const test of [sweepOfEight, submitted, stopped, shards, clusterThatDies]) {
    const begun = performance.now();
    await test();
    tests[test.name] = Math.round((performance.now() - begun) / 1000);
    console.log(`ok  ${test.name}  ${tests[test.name]} s`);
  }
  const record = {
    date: begun.toISOString().slice(0, 10),
    versions: { ray: found.stdout.trim().split(' ').at(-1), node: process.version },
    machine: `${cpus().length} × ${cpus()[0].model}`,
    seconds: tests,
  };
  writeFileSync(
    fileURLToPath(new URL('../tools/ray/result.json', import.meta.url)),
    `${JSON.stringify(record, null, 2)}\n`,
  );
} finally {
  await stopRay();
  rmSync(work, { recursive: true, force: true });
  rmSync(rayFolder, { recursive: true, force: true });
}

/** Eight trials, of which two lose their process on the way, come to the bits of a sweep on this machine. */
async function sweepOfEight() {
  const config = writeConfig('sweep.json', { dropout: 0.1 }, { steps: 400, checkpointEvery: 20 });
  const grid = [
    '--grid',
    'model.layers=1,2',
    '--grid',
    'training.learningRate=1e-2,2e-2,4e-2,8e-2',
  ];
  const sweep = (folder) => [
    'sweep',
    '--config',
    config,
    '--out',
    folder,
    '--workers',
    '2',
    ...grid,
  ];
  const [here, there] = [join(work, 'here'), join(work, 'there')];
  assert.equal(headwise(sweep(here)).status, 0);
  const run = start([...sweep(there), ...onRay]);
  const killed = [await killJob(there, 'train', run)];
  killed.push(await killJob(there, 'job', run, killed));
  const { code, stdout, stderr } = await run.ended;
  console.log(stdout.trim().split('\n').slice(-10).join('\n'));
  console.log(stderr.trim());
  assert.equal(code, 0, stderr);
  for (const trial of killed) {
    const line = new RegExp(
      `^headwise: trial ${trial}: lost \\([^\n]*\\); going on from step [1-9]`,
      'm',
    );
    assert.match(stderr, line);
  }
  for (const trial of readdirSync(join(here, 'trials'))) {
    for (const file of ['model.safetensors', 'trainer/state.safetensors', 'tokenizer.json']) {
      const [a, b] = [here, there].map((folder) =>
        readFileSync(join(folder, 'trials', trial, file)),
      );
      assert.ok(a.equals(b), `trial ${trial}: ${file} differs`);
    }
    assert.deepEqual(
      historyOf(join(there, 'trials', trial)),
      historyOf(join(here, 'trials', trial)),
    );
  }
}

/** A text goes along, a model comes back, is measured and fine-tuned there. */
async function submitted() {
  const corpus = join(work, 'book.txt');
  writeFileSync(
    corpus,
    'Call me Ishmael. Some years ago, never mind how long precisely. '.repeat(60),
  );
  const config = join(work, 'book.json');
  writeFileSync(
    config,
    JSON.stringify({
      model: { dim: 16, heads: 2, layers: 1, context: 16 },
      tokenizer: { kind: 'character' },
      data: { corpus, validation: 0.1 },
      training: { steps: 10, batchSize: 4, learningRate: 0.01 },
    }),
  );
  const [here, there] = [join(work, 'book'), join(work, 'book-there')];
  const train = (folder) => ['train', '--config', config, '--out', folder];
  assert.equal(headwise(train(here)).status, 0);
  const made = headwise(['submit', ...onRay, '--', ...train(there)]);
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, new RegExp(`the model is in ${there}\n`));
  const state = (folder) => readFileSync(join(folder, 'trainer/state.safetensors'));
  assert.ok(state(here).equals(state(there)));
  const more = ['--set', 'training.steps=14', '--resume'];
  assert.equal(headwise([...train(here), ...more]).status, 0);
  assert.equal(headwise(['submit', ...onRay, '--', ...train(there), ...more]).status, 0);
  assert.ok(state(here).equals(state(there)), 'the resumed run differs');
  const evaluate = ['eval', '--model', there, '--text', corpus, '--json'];
  const measured = headwise(['submit', ...onRay, '--', ...evaluate]);
  assert.equal(measured.status, 0, measured.stderr);
  assert.deepEqual(JSON.parse(measured.stdout), JSON.parse(headwise(evaluate).stdout));
  const data = join(work, 'rows.jsonl');
  const rows = Array.from({ length: 24 }, (_, i) => ({
    prompt: `Call ${i % 3 ? 'me' : 'us'}`,
    completion: ' Ishmael.',
  }));
  writeFileSync(data, rows.map((row) => JSON.stringify(row)).join('\n'));
  const finetune = (folder) => [
    ...[
      'finetune',
      '--model',
      there,
      '--data',
      data,
      '--method',
      'lora',
      '--rank',
      '2',
      '--steps',
      '4',
      '--out',
      folder,
    ],
  ];
  const adapters = [join(work, 'lora'), join(work, 'lora-there')];
  assert.equal(headwise(finetune(adapters[0])).status, 0);
  const taught = headwise(['submit', ...onRay, '--', ...finetune(adapters[1])]);
  assert.equal(taught.status, 0, taught.stderr + taught.stdout);
  const [a, b] = adapters.map((folder) => readFileSync(join(folder, 'adapter_model.safetensors')));
  assert.ok(a.equals(b), 'the adapter differs');
}

/** Ctrl-C stops the job, and what it has done comes back. */
async function stopped() {
  const config = writeConfig('long.json', {}, { steps: 100_000, checkpointEvery: 20 });
  const folder = join(work, 'stopped');
  const run = start(['submit', ...onRay, '--', 'train', '--config', config, '--out', folder]);
  await until(() => existsSync(join(folder, 'trainer/state.safetensors')), run);
  run.child.kill('SIGINT');
  const { code, stderr } = await run.ended;
  assert.equal(code, 130, stderr);
  const steps = historyOf(folder).filter((entry) => 'loss' in entry).length;
  assert.ok(steps >= 20, `${steps} steps came back`);
  const again = resumedHere(config, folder, steps);
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, new RegExp(`complete at step ${steps} `));
}

/** A pipeline in shards, each a job, has the files and counts of one process. */
async function shards() {
  const raw = join(work, 'raw');
  mkdirSync(raw);
  for (let part = 0; part < 6; part++) {
    const lines = Array.from({ length: 40 }, (_, i) => {
      const words = Array.from(
        { length: 5 + ((part * 40 + i) % 90) },
        (_, k) => `whale${(i * k) % 37}`,
      );
      return `${JSON.stringify({ text: `The ${words.join(' and ')} of the sea.` })}\n`;
    });
    writeFileSync(join(raw, `${part}.jsonl`), lines.join(''));
  }
  const pipelineOf = (out) => {
    const path = join(work, `${out}.json`);
    const steps = [{ step: 'gopher-quality', minWords: 40 }, { step: 'replace-pii' }];
    writeFileSync(path, JSON.stringify({ inputs: ['raw'], filter: { out, rejects: true, steps } }));
    return ['data', 'filter', '--pipeline', path, '--json'];
  };
  const one = headwise(pipelineOf('one'));
  assert.equal(one.status, 0, one.stderr);
  const run = ['submit', ...onRay, '--shared', work, '--shards', '3', '--', ...pipelineOf('many')];
  const many = headwise(run);
  assert.equal(many.status, 0, many.stderr);
  const report = many.stdout.trim().split('\n').at(-1);
  assert.deepEqual(JSON.parse(report), JSON.parse(one.stdout));
  assert.ok(JSON.parse(report).kept.documents > 20);
  for (const part of ['documents', 'rejects', 'units']) {
    const files = readdirSync(join(work, 'one', part));
    assert.deepEqual(readdirSync(join(work, 'many', part)), files);
    for (const file of files) {
      const [a, b] = ['one', 'many'].map((out) => readFileSync(join(work, out, part, file)));
      assert.ok(a.equals(b), `${part}/${file} differs`);
    }
  }
}

/** A cluster that is gone ends the command clearly, and the last checkpoint that came back is whole. */
async function clusterThatDies() {
  const config = writeConfig('dies.json', {}, { steps: 100_000, checkpointEvery: 20 });
  const folder = join(work, 'dies');
  const run = start(['submit', ...onRay, '--', 'train', '--config', config, '--out', folder]);
  await until(() => existsSync(join(folder, 'trainer/state.safetensors')), run);
  await stopRay();
  const { code, stderr } = await run.ended;
  console.log(stderr.trim().split('\n').at(-1));
  const left = () => readdirSync(ofJobs).filter((name) => name.startsWith('headwise-job-'));
  for (let tries = 0; left().length > 0 && tries < 100; tries++) await sleep(200);
  assert.deepEqual(left(), [], 'folders of jobs are left behind');
  assert.equal(code, 1, stderr);
  assert.match(stderr, /headwise: http:\/\/127\.0\.0\.1:\d+: (does not answer|the job was lost)/);
  const steps = historyOf(folder).filter((entry) => 'loss' in entry).length;
  const again = resumedHere(config, folder, steps);
  assert.equal(again.status, 0, again.stderr);
}

function writeConfig(name, model, training) {
  const path = join(work, name);
  const config = {
    model: { dim: 16, heads: 2, layers: 1, position: 'rotary', ...model },
    data: { task: 'reverse', length: 3 },
    training: { batchSize: 4, learningRate: 0.02, ...training },
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** A run's history without the times that were measured. */
function historyOf(folder) {
  const lines = readFileSync(join(folder, 'trainer/history.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => ({ ...JSON.parse(line), ms: 0 }));
}

/**
 * Kills the process of a trial's job, or of the command that it runs, once a checkpoint has come back.
 *
 * @returns the trial
 */
async function killJob(sweep, which, { child }, spared = []) {
  while (child.exitCode === null) {
    await sleep(50);
    for (const { pid, command, place } of nodeProcesses()) {
      if (!command.includes(program) || !command.includes(which)) continue;
      // A trial's job is the one whose files are its configuration.
      const config = readIfThere(join(place, 'run.json'));
      const trials = JSON.parse(readIfThere(join(sweep, 'sweep.json')) ?? '{"trials":[]}').trials;
      const trial = trials.find((one) =>
        isDeepStrictEqual(one.config, config && JSON.parse(config)),
      );
      if (!trial || spared.includes(trial.name)) continue;
      if (!existsSync(join(sweep, 'trials', trial.name, 'trainer/state.safetensors'))) continue;
      process.kill(pid, 'SIGKILL');
      return trial.name;
    }
  }
  throw new Error('no trial could be killed: all had ended');
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function nodeProcesses() {
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, args] = /^ *(\d+) (.*)$/.exec(line) ?? [];
    if (args === undefined || !args.startsWith(process.execPath)) return [];
    const place = spawnSync('readlink', [`/proc/${pid}/cwd`], { encoding: 'utf8' }).stdout.trim();
    return [{ pid: Number(pid), command: args.split(' '), place }];
  });
}

async function until(condition, { child }) {
  while (!condition()) {
    if (child.exitCode !== null) throw new Error('the command has ended already');
    await sleep(20);
  }
}

/** Goes on with a run here, to a number of steps. */
function resumedHere(config, folder, steps) {
  const to = ['--set', `training.steps=${steps}`];
  return headwise(['train', '--config', config, '--out', folder, '--resume', ...to]);
}

function headwise(args) {
  return spawnSync(process.execPath, [program, ...args], { env, encoding: 'utf8' });
}

function start(args) {
  const child = spawn(process.execPath, [program, ...args], { env });
  const told = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].on('data', (text) => {
      told[name] += text;
    });
  }
  const ended = new Promise((done) => child.on('close', (code) => done({ code, ...told })));
  return { child, ended };
}

/** Starts a cluster that ends with its process: `ray stop` would end others of this machine, too. */
async function startRay() {
  const args = [
    ...['start', '--head', '--block', '--num-cpus', '2', '--object-store-memory', '100000000'],
    ...['--node-ip-address', '127.0.0.1', '--port', gcs, '--ray-client-server-port', client],
    ...['--dashboard-host', '127.0.0.1', '--dashboard-port', dashboard],
    ...['--dashboard-agent-listen-port', agent, '--temp-dir', rayFolder],
  ];
  const cluster = spawn(ray, args.map(String), {
    env: { ...env, TMPDIR: ofJobs },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  cluster.stdout.on('data', (text) => {
    told += text;
  });
  cluster.stderr.on('data', (text) => {
    told += text;
  });
  const ended = new Promise((done) => cluster.on('close', done));
  // The agent that starts jobs comes up after the dashboard.
  const isUp = () =>
    fetch(`${address}/api/jobs/`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isUp())) {
    if (cluster.exitCode !== null) throw new Error(`ray start: ${told}`);
    await sleep(500);
  }
  return async () => {
    cluster.kill('SIGTERM');
    await ended;
  };
}

/** Ports that nobody listens on; below 10,000, above which Ray's workers are. */
async function freePorts(count) {
  const ports = [];
  for (let port = 7400 + (process.pid % 1000); ports.length < count; port++) {
    const server = createServer();
    const free = await new Promise((done) => {
      server.once('error', () => done(false));
      server.listen(port, '127.0.0.1', () => done(true));
    });
    if (free) ports.push(port);
    await new Promise((done) => server.close(done));
  }
  return ports;
}
