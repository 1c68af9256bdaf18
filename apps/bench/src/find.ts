import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Workload } from '@headwise/testing';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The workloads of every built `x.bench.js` in the workspace whose name holds one of the filters. */
export async function findWorkloads(filters: readonly string[]): Promise<Workload[]> {
  const found: Workload[] = [];
  for (const path of benchFiles()) {
    const module = (await import(pathToFileURL(path).href)) as { workloads?: Workload[] };
    if (!module.workloads) throw new Error(`${path}: exports no 'workloads'`);
    found.push(...module.workloads);
  }
  return found.filter(
    ({ name }) => filters.length === 0 || filters.some((filter) => name.includes(filter)),
  );
}

function benchFiles(): string[] {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(root, group)).flatMap((name) => {
      const dist = join(root, group, name, 'dist');
      if (!existsSync(dist)) return [];
      const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
      return files.filter((file) => file.endsWith('.bench.js')).map((file) => join(dist, file));
    }),
  );
}
