import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { BackendError, type BackendName, backendNames, ShapeError } from '@headwise/core';
import { start } from '@headwise/kernels';
import type { Contestants, Workload } from '@headwise/testing';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CheckoutError } from './compare/checkout.js';
import { compare } from './compare/index.js';
import { findWorkloads } from './find.js';
import { growth } from './growth.js';
import { type Budget, type Measured, measure } from './measure.js';
import { installPeers } from './peers.js';

/** What `--json` writes, one for each workload and backend. */
interface Row {
  workload: string;
  backend: string;
  adapter: string;
  ours: Measured;
  peers: Record<string, Measured>;
  /** How many times as long a peer takes as we do. */
  ratios: Record<string, number>;
  /** The largest error of each, where it was taken. */
  errors?: Record<string, number>;
  /** What else was counted of our runs. */
  counts?: Record<string, number>;
}

interface Options {
  json?: string;
  compare?: string;
  backend: string[];
  rounds: number;
  seconds: number;
}

const program = new Command('bench')
  .description('time our operations against others, interleaved in one process')
  .argument('[filters...]', 'parts of workload names; default all')
  .option('--json <file>', 'write the rows as JSON')
  .option('--compare <ref>', 'time the same workloads of another commit in turns with these')
  .addOption(
    new Option('--backend <name...>', 'only these backends')
      .choices([...backendNames, 'js'])
      .default([...backendNames, 'js']),
  )
  .option('--rounds <n>', 'rounds of all contestants at most', positive, 12)
  .option('--seconds <s>', 'no new round after this, but three at least', positive, 20)
  .action(async (filters: string[], options: Options) => {
    const budget = {
      maxRounds: options.rounds,
      minRounds: Math.min(3, options.rounds),
      seconds: options.seconds,
    };
    const write = (rows: unknown) => {
      if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
    };
    if (options.compare !== undefined) {
      try {
        write(await compare(options.compare, filters, options.backend, budget));
      } catch (error) {
        if (!(error instanceof CheckoutError)) throw error;
        program.error(error.message);
      }
      return;
    }
    const workloads = await findWorkloads(filters);
    if (workloads.length === 0) program.error(`no workload matches ${filters.join(' ')}`);
    if (workloads.some(({ installsPeers }) => installsPeers)) installPeers();
    console.log('(n ×): how many times as long as ours the other takes, by the medians');
    const rows: Row[] = [];
    for (const name of [...backendNames, 'js'] as const) {
      if (!options.backend.includes(name)) continue;
      const mine = workloads.filter(({ backends = backendNames }) => backends.includes(name));
      if (mine.length > 0) rows.push(...(await runOn(name, mine, budget)));
    }
    write(rows);
  });

await program.parseAsync();

function positive(text: string): number {
  if (!(Number(text) > 0)) throw new InvalidArgumentError(`'${text}' is not a number above 0.`);
  return Number(text);
}

/** Times workloads on one backend, or says why it cannot be had. */
async function runOn(
  name: BackendName | 'js',
  workloads: readonly Workload[],
  budget: Budget,
): Promise<Row[]> {
  let adapter = `${cpus()[0]?.model.trim()} × ${cpus().length}`;
  if (name !== 'js') {
    try {
      adapter = (await start({ prefer: name })).adapter ?? adapter;
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      console.log(`\n${name}: skipped: ${error.message}`);
      return [];
    }
  }
  console.log(`\n${name}, ${adapter}`);
  const rows: Row[] = [];
  for (const workload of workloads) {
    const contestants = await prepared(workload);
    if (!contestants) continue;
    const { ours, ...peers } = await measure(contestants, budget);
    contestants.dispose?.();
    const ratios = Object.fromEntries(
      Object.entries(peers).map(([peer, { ms }]) => [peer, ms / ours!.ms]),
    );
    const { errors, counts } = contestants;
    rows.push({
      workload: workload.name,
      backend: name,
      adapter,
      ours: ours!,
      peers,
      ratios,
      ...(errors ? { errors } : {}),
      ...(counts ? { counts } : {}),
    });
    print(rows.at(-1)!);
  }
  for (const line of growth(rows)) console.log(`  ${line}`);
  return rows;
}

/** What a workload times; undefined, with the reason in the output, where a buffer is larger than the device binds. */
async function prepared(workload: Workload): Promise<Contestants | undefined> {
  try {
    return await workload.prepare();
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    console.log(`  ${workload.name}: cannot run on this adapter: ${error.message}`);
    return undefined;
  }
}

function print({ workload, ours, peers, ratios, errors, counts = {} }: Row): void {
  const size = (bytes: number | null) =>
    bytes === null ? '' : `, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const error = (name: string) =>
    errors?.[name] === undefined ? '' : `, error ${errors[name].toExponential(1)}`;
  const time = (name: string, { ms, peakBytes }: Measured) =>
    `${ms.toPrecision(4)} ms${size(peakBytes)}${error(name)}`;
  const others = Object.entries(peers).map(
    ([name, measured]) => `${name} ${time(name, measured)} (${ratios[name]!.toFixed(2)} ×)`,
  );
  const counted = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  const parts = [`ours ${time('ours', ours)}`, ...others, ...counted];
  console.log(`  ${workload}: ${parts.join('; ')}`);
}
