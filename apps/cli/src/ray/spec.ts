import { createRequire } from 'node:module';

/** What a job on a cluster does: `job.json` of its package. */
export interface JobSpec {
  versions: Record<string, string>;
  node: string;
  /** The command line, with the paths of the package. */
  args: string[];
  /** Where its folder is: sent back, or one that both machines see. Absent: it has none. */
  out?: { shared?: string | undefined; whole: boolean } | undefined;
}

export const specName = 'job.json';
/** Where the package has the files of the folder as the client has it. */
export const seedPlace = 'out';

const require = createRequire(import.meta.url);

/** The versions of this program, its packages and TensorFlow.js: what a result depends on. */
export function packageVersions(): Record<string, string> {
  const own = require('../../package.json') as {
    version: string;
    dependencies: Record<string, string>;
  };
  const versions: Record<string, string> = { headwise: own.version };
  for (const name of Object.keys(own.dependencies)) {
    if (!/^@(headwise|tensorflow)\//.test(name)) continue;
    versions[name] = (require(`${name}/package.json`) as { version: string }).version;
  }
  return versions;
}

/** How the packages there differ from those here, in words; undefined where they do not. */
export function versionProblem(
  here: Readonly<Record<string, string>>,
  there: Readonly<Record<string, string>>,
): string | undefined {
  const names = [...new Set([...Object.keys(here), ...Object.keys(there)])];
  const differ = names.filter((name) => here[name] !== there[name]);
  if (differ.length === 0) return undefined;
  const words = differ.map((name) => {
    const [mine = 'none', theirs = 'none'] = [here[name], there[name]];
    return `${name} ${theirs} (here ${mine})`;
  });
  return `the cluster has other versions: ${words.join(', ')}; expected the same: npm install --global headwise@${here.headwise}`;
}
