// Makes golden files anew, each folder's with its own pinned packages: make.mjs [FOLDER…], all of them where none is named.
// Datatrove, tokenizers and torchrun use the built packages: `pnpm build` first.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, run } from '../python.mjs';
import { folders } from './folders.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.hasOwn(folders, name));
if (unknown.length > 0) {
  console.error(`no goldens of ${unknown.join(', ')}; expected ${Object.keys(folders).join(', ')}`);
  process.exit(2);
}
for (const name of named.length > 0 ? named : Object.keys(folders)) await make(name);

async function make(name) {
  const folder = join(here, name);
  const work = mkdtempSync(join(tmpdir(), 'headwise-goldens-'));
  try {
    const prepare = join(folder, 'prepare.mjs');
    const made = existsSync(prepare) ? await (await import(prepare)).prepare(work) : {};
    const pythons = new Map();
    for (const [requirements, script, ...args] of folders[name]) {
      console.log(`${name}/${script}`);
      if (!pythons.has(requirements)) pythons.set(requirements, pythonOf(name, requirements));
      const given = args.map((arg) => resolved(arg, made));
      const python = pythons.get(requirements);
      if (script.endsWith('.mjs')) run(process.execPath, [join(folder, script), python, ...given]);
      else run(python, [join(folder, script), ...given], { cwd: folder });
    }
  } finally {
    rmSync(work, { recursive: true });
  }
}

function pythonOf(name, requirements) {
  const [, which] = /^requirements(.*)\.txt$/.exec(requirements);
  return environment(`goldens-${name}${which}`, join(here, name, requirements)).python;
}

function resolved(arg, made) {
  if (arg.startsWith('$')) return made[arg.slice(1)];
  return /^(packages|tools)\b/.test(arg) ? join(root, arg) : arg;
}
