// Takes JSON lines of any size through filter, dedup and tokenize, and measures memory, kills and workers:
//   node apps/cli/scripts/data-run.mjs --bytes 1e9 --kills 10 --folder /tmp/run [--json FILE]
// Needs the build. Runs with one worker (not with --twice), with two, and with two that are killed at random moments; all must
// end with the same bytes.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeCorpus } from './make-corpus.mjs';

const { values } = parseArgs({
  options: {
    bytes: { type: 'string', default: '1e8' },
    kills: { type: 'string', default: '10' },
    folder: { type: 'string' },
    json: { type: 'string' },
    twice: { type: 'boolean', default: false },
  },
});
const folder = values.folder;
if (folder === undefined) throw new Error('--folder is missing; expected where to work');
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
mkdirSync(folder, { recursive: true });
const raw = join(folder, 'raw.jsonl');

/** Runs the program; kills it after a time. Gives the seconds, the processor's seconds, and the most memory it had. */
async function headwise(args, killAfter) {
  const begun = performance.now();
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  let [peak, cpu, ended] = [0, 0, false];
  const exit = new Promise((resolve) =>
    child.once('exit', (code, signal) => {
      ended = true;
      resolve(signal ?? code);
    }),
  );
  while (!ended) {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peak = Math.max(peak, 1024 * Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0));
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      cpu = (Number(stat[11]) + Number(stat[12])) / 100;
    } catch {}
    if (killAfter !== undefined && performance.now() - begun > 1000 * killAfter)
      child.kill('SIGKILL');
    await Promise.race([exit, sleep(20)]);
  }
  const code = await exit;
  if (code !== 0 && code !== 'SIGKILL')
    throw new Error(`${args.join(' ')} ended with ${code}: ${said}`);
  return { killed: code === 'SIGKILL', seconds: (performance.now() - begun) / 1000, cpu, peak };
}

/** The commands of a run whose files lie below a folder. */
function commandsOf(out, workers) {
  mkdirSync(out, { recursive: true });
  const pipeline = join(out, 'pipeline.json');
  const steps = [
    'gopher-repetition',
    'gopher-quality',
    'c4-quality',
    'fineweb-quality',
    'replace-pii',
  ];
  writeFileSync(
    pipeline,
    JSON.stringify({
      inputs: [raw],
      filter: { out: 'filtered', rejects: true, steps: steps.map((step) => ({ step })) },
      dedup: { out: 'unique' },
      tokenize: { out: 'tokens', tokenizer: join(folder, 'tokenizer.json'), end: false },
    }),
  );
  const stages = ['filter', 'dedup', 'tokenize'];
  const on = ['--pipeline', pipeline, '--workers', String(workers)];
  return Object.fromEntries(stages.map((stage) => [stage, ['data', stage, ...on]]));
}

async function hashOf(out) {
  const hash = createHash('sha256');
  for (const part of [
    'filtered/documents',
    'filtered/rejects',
    'unique/documents',
    'tokens/shards',
  ]) {
    for (const name of readdirSync(join(out, part)).sort()) {
      hash.update(`${part}/${name}`);
      for await (const chunk of createReadStream(join(out, part, name))) hash.update(chunk);
    }
  }
  return hash.digest('hex');
}

async function run(name, workers, kills = 0, expected = {}) {
  const out = join(folder, name);
  rmSync(out, { recursive: true, force: true });
  const stages = {};
  const all = Object.values(expected).reduce((sum, seconds) => sum + seconds, 0);
  const moments = Array.from({ length: kills }, () => Math.random() * all).sort((a, b) => a - b);
  let before = 0;
  let killed = 0;
  for (const [stage, args] of Object.entries(commandsOf(out, workers))) {
    const mine = moments.filter((m) => m >= before && m < before + expected[stage]);
    let last = before;
    const measured = { seconds: 0, cpu: 0, peak: 0 };
    for (const moment of [...mine, undefined]) {
      const after = moment === undefined ? undefined : Math.max(0.3, moment - last);
      const result = await headwise(args, after);
      if (result.killed) killed++;
      measured.seconds += result.seconds;
      measured.cpu += result.cpu;
      measured.peak = Math.max(measured.peak, result.peak);
      last = moment ?? last;
    }
    before += expected[stage] ?? 0;
    stages[stage] = measured;
    console.log(
      name,
      stage,
      `${measured.seconds.toFixed(1)} s, ${measured.cpu.toFixed(1)} s of processor, peak ${(measured.peak / 2 ** 20).toFixed(0)} MiB`,
    );
  }
  const sha256 = await hashOf(out);
  console.log(name, `killed ${killed} times, ${sha256}`);
  return { stages, killed, sha256 };
}

const bytes = Number(values.bytes);
if (!existsSync(raw) || statSync(raw).size < bytes || statSync(raw).size > bytes + 2 ** 20) {
  console.log('making', await makeCorpus(raw, bytes));
}
const sample = join(folder, 'sample.txt');
if (!existsSync(join(folder, 'tokenizer.json'))) {
  const lines = readFileSync(raw).subarray(0, 4e6).toString().split('\n').slice(0, -1);
  writeFileSync(sample, lines.map((line) => JSON.parse(line).text).join('\n'));
  await headwise([
    'tokenizer',
    'train',
    sample,
    '--vocab-size',
    '8192',
    '--out',
    join(folder, 'tokenizer.json'),
  ]);
}
const one = values.twice ? undefined : await run('one', 1);
const two = await run('two', 2);
const secondsOf = ({ stages }) =>
  Object.fromEntries(Object.entries(stages).map(([stage, { seconds }]) => [stage, seconds]));
const killed = await run('killed', 2, Number(values.kills), secondsOf(two));
const total = (of) => Object.values(secondsOf(of)).reduce((sum, seconds) => sum + seconds, 0);
const peak = Math.max(
  ...[one ?? two, two, killed].flatMap(({ stages }) =>
    Object.values(stages).map((stage) => stage.peak),
  ),
);
const report = {
  machine: `${cpus()[0].model.trim()} × ${cpus().length}, Node ${process.version}`,
  bytes: statSync(raw).size,
  peakBytes: peak,
  ...(one ? { speedup: total(one) / total(two) } : {}),
  equal: (one ?? two).sha256 === two.sha256 && two.sha256 === killed.sha256,
  kills: killed.killed,
  one: one?.stages,
  two: two.stages,
  killed: killed.stages,
};
console.log(
  `peak ${(peak / 2 ** 20).toFixed(0)} MiB, ${one ? `two workers ${report.speedup.toFixed(2)} × one, ` : ''}equal output: ${report.equal}`,
);
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
if (!report.equal) process.exitCode = 1;
