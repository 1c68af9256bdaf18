import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backendNames } from '@headwise/core';
import { type Budget, type Measured, median } from '../measure.js';
import { installPeers } from '../peers.js';
import { type Checkout, CheckoutError, checkOut } from './checkout.js';
import { type Answers, Side } from './questions.js';
import { type Ratio, ratioOf } from './ratio.js';

/** What `--compare --json` writes, one for each workload and backend. */
export interface ComparedRow extends Ratio {
  workload: string;
  backend: string;
  adapter: string;
  /** The commit compared with. */
  commit: string;
  /** Of the working tree. */
  ours: Measured;
  /** Of the commit. */
  before: Measured;
  rounds: number;
}

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const harness = fileURLToPath(new URL('../', import.meta.url));

type Named = Answers['workloads'][number];

/**
 * Times the workloads of the working tree and of a commit in turns, each tree in a process of its own, by the working tree's harness.
 *
 * @param filters parts of workload names; none: all
 * @param backends the only ones to use
 * @throws CheckoutError where the commit is not found or does not build, or has none of the workloads
 */
export async function compare(
  ref: string,
  filters: readonly string[],
  backends: readonly string[],
  budget: Budget,
): Promise<ComparedRow[]> {
  console.log(`checking out and building ${ref}`);
  const checkout = checkOut(root, ref);
  const sides: Side[] = [];
  const leave = () => {
    for (const side of sides) side.end();
    checkout.remove();
  };
  // Ctrl-C ends this process, and must not leave a working tree behind.
  const stop = () => {
    leave();
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const copy = join(checkout.folder, 'apps', 'bench', 'dist-compare');
    cpSync(harness, copy, { recursive: true });
    const short = checkout.commit.slice(0, 8);
    sides.push(new Side('working tree', harness, false), new Side(short, copy, true));
    const [mine, theirs] = sides as [Side, Side];
    const common = await workloadsOfBoth(mine, theirs, filters, short);
    if (common.some(({ installsPeers }) => installsPeers)) sharePeers(checkout);
    console.log(`(n ×): how many times as long as ${short} the working tree takes, quartiles`);
    const rows: ComparedRow[] = [];
    for (const backend of [...backendNames, 'js']) {
      if (!backends.includes(backend)) continue;
      const here = common.filter(({ backends: own = backendNames }) =>
        own.includes(backend as never),
      );
      if (here.length === 0) continue;
      const adapter = await started(sides, backend);
      if (adapter === undefined) continue;
      for (const { name } of here) {
        const timed = await rounds(mine, theirs, name, budget);
        if (!timed) continue;
        const row = { workload: name, backend, adapter, commit: checkout.commit, ...timed };
        print(row);
        rows.push(row);
      }
    }
    return rows;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    leave();
  }
}

/** The workloads that both trees have; says which the commit lacks. */
async function workloadsOfBoth(
  mine: Side,
  theirs: Side,
  filters: readonly string[],
  commit: string,
): Promise<Named[]> {
  const own = (await mine.ask('workloads')).filter(
    ({ name }) => filters.length === 0 || filters.some((filter) => name.includes(filter)),
  );
  const old = new Set((await theirs.ask('workloads')).map(({ name }) => name));
  const missing = own.filter(({ name }) => !old.has(name)).map(({ name }) => name);
  if (own.length === 0) throw new CheckoutError(`no workload matches ${filters.join(' ')}`);
  if (missing.length === own.length) {
    throw new CheckoutError(`--compare: ${commit} does not have ${missing.join(', ')}`);
  }
  for (const name of missing) console.log(`  ${name}: left out, as ${commit} does not have it`);
  return own.filter(({ name }) => old.has(name));
}

/** Puts a backend in use on both sides; undefined, with the reason in the output, where it does not start. */
async function started(sides: readonly Side[], backend: string): Promise<string | undefined> {
  let adapter = `${cpus()[0]?.model.trim()} × ${cpus().length}`;
  if (backend !== 'js') {
    try {
      for (const side of sides) adapter = (await side.ask('start', backend)).adapter ?? adapter;
    } catch (error) {
      console.log(`\n${backend}: skipped: ${(error as Error).message}`);
      return undefined;
    }
  }
  console.log(`\n${backend}, ${adapter}`);
  return adapter;
}

/** Times one workload on both sides in turns; undefined, with the reason in the output, where a side cannot run it. */
async function rounds(
  mine: Side,
  theirs: Side,
  name: string,
  { maxRounds, minRounds, seconds }: Budget,
): Promise<({ ours: Measured; before: Measured; rounds: number } & Ratio) | undefined> {
  const sides = [mine, theirs];
  const peaks: (number | null)[] = [];
  const times: [number[], number[]] = [[], []];
  try {
    for (const side of sides) {
      const prepared = await side.ask('prepare', name);
      if ('refused' in prepared) {
        console.log(`  ${name}: cannot run on this adapter: ${prepared.refused}`);
        return undefined;
      }
      peaks.push(prepared.peakBytes);
    }
    const begun = performance.now();
    for (let round = 0; round < maxRounds; round++) {
      if (round >= minRounds && performance.now() - begun > seconds * 1000) break;
      // Each goes first in every other round.
      for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
        times[i]!.push((await sides[i]!.ask('round')).ms);
      }
    }
  } finally {
    for (const side of sides) await side.ask('dispose').catch(() => {});
  }
  const measured = (i: 0 | 1) => ({ ms: median(times[i]), peakBytes: peaks[i]! });
  const rounds = times[0].length;
  return { ours: measured(0), before: measured(1), rounds, ...ratioOf(times[0], times[1]) };
}

/** Lets the commit load the peers that are installed here, where it has the same. */
function sharePeers({ commit, folder }: Checkout): void {
  installPeers();
  const [here, there] = [root, folder].map((tree) => join(tree, 'tools', 'peers'));
  const lockfile = (peers: string) => {
    const path = join(peers, 'package-lock.json');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  if (lockfile(here!) !== lockfile(there!)) {
    throw new CheckoutError(
      `--compare: ${commit.slice(0, 8)} has another tools/peers/package-lock.json; expected the working tree's, whose packages are installed`,
    );
  }
  symlinkSync(join(here!, 'node_modules'), join(there!, 'node_modules'), 'junction');
}

function print({ workload, ours, before, ratio, quartiles, rounds }: ComparedRow): void {
  const time = ({ ms, peakBytes }: Measured) =>
    `${ms.toPrecision(4)} ms${peakBytes === null ? '' : `, ${(peakBytes / 2 ** 20).toFixed(1)} MiB`}`;
  const spread = quartiles.map((value) => value.toFixed(2)).join(' to ');
  console.log(
    `  ${workload}: ${time(ours)}; before ${time(before)} (${ratio.toFixed(2)} ×, ${spread}, ${rounds} rounds)`,
  );
}
