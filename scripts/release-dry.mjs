// Rehearses a release: packs every public package, checks the tarballs, publishes them to a registry on loopback,
// and installs and uses them from there in an empty project. Ends with what is wrong, if anything, and leaves nothing.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installRegistry, startRegistry } from './release/registry.mjs';
import { run } from './release/run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const interruption = new AbortController();
const { signal } = interruption;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
}

const begun = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'headwise-release-'));
const consumer = join(folder, 'consumer');
let registry;
try {
  const packages = await pack();
  await check(packages);
  await installRegistry(signal);
  registry = await startRegistry(join(folder, 'storage'));
  say(`started an empty registry at ${registry.url}`);
  prepareConsumer();
  await publish(packages);
  await install(packages);
  await importEntries(packages);
  await useCommand();
  await train();
  say(`release:dry passed: ${packages.length} packages can be published`);
} catch (error) {
  const reason = signal.aborted ? signal.reason : error;
  if (reason.cause) console.error(reason.cause);
  console.error(`release:dry failed: ${reason.message}`);
  process.exitCode = 1;
} finally {
  await registry?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Packs the packages that are not private, as pnpm publishes them. */
async function pack() {
  const listed = await run('pnpm', ['--recursive', 'list', '--depth', '-1', '--json'], at(root));
  const packages = JSON.parse(listed)
    .filter((listing) => !listing.private)
    .map(({ name, version, path }) => ({ name, version, path, tarball: tarballOf(name, version) }));
  for (const { path, tarball } of packages) await run('pnpm', ['pack', '--out', tarball], at(path));
  say(`packed ${packages.length} packages`);
  return packages;
}

/** Checks that manifests name files that are there, and that TypeScript finds the types of every entry. */
async function check(packages) {
  const bin = join(root, 'node_modules/.bin');
  for (const { tarball } of packages) {
    await run(join(bin, 'publint'), ['run', tarball, '--strict'], at(root));
    await run(join(bin, 'attw'), [tarball, '--profile', 'esm-only', '--format', 'ascii'], at(root));
  }
  say('checked the tarballs with publint and attw');
}

/** An empty project: our scope comes from the registry on loopback, all else from where npm gets it. */
function prepareConsumer() {
  const { host } = new URL(registry.url);
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }\n');
  writeFileSync(
    join(consumer, '.npmrc'),
    `@headwise:registry=${registry.url}\n//${host}/:_authToken=any\ncache=${join(folder, 'cache')}\n`,
  );
}

/** Publishes the tarballs that were checked. */
async function publish(packages) {
  // On the command line, where nothing overrides it: this must never reach the real registry.
  const target = [`--registry=${registry.url}`, `--@headwise:registry=${registry.url}`];
  for (const { tarball } of packages) {
    await run('npm', ['publish', tarball, ...target], at(consumer));
  }
  say('published to the registry');
}

/** Installs with npm, from an empty cache; every dependency must be met, and TensorFlow.js be there once. */
async function install(packages) {
  const wanted = packages.map(({ name, version }) =>
    // Without a scope there is no registry of its own: by its address there.
    name.startsWith('@') ? `${name}@${version}` : `${registry.url}${name}/-/${name}-${version}.tgz`,
  );
  await run('npm', ['install', '--no-audit', '--no-fund', ...wanted], at(consumer));
  await run('npm', ['ls', '--all'], at(consumer));
  const query = await run('npm', ['query', '[name="@tensorflow/tfjs-core"]'], at(consumer));
  const copies = JSON.parse(query).map(({ location, version }) => `${location} ${version}`);
  if (copies.length !== 1) {
    throw new Error(`expected one @tensorflow/tfjs-core, got ${copies.length}: ${copies}`);
  }
  say('installed with npm in an empty project; all dependencies are met');
}

/** Imports every entry of every package, which shows a file that was left out of the tarball. */
async function importEntries(packages) {
  const entries = packages.flatMap(({ name }) => {
    const path = join(consumer, 'node_modules', name, 'package.json');
    const { exports } = JSON.parse(readFileSync(path, 'utf8'));
    return Object.keys(exports)
      .filter((key) => key !== './package.json')
      .map((key) => name + key.slice(1));
  });
  const script = join(consumer, 'import-entries.mjs');
  writeFileSync(script, entries.map((entry) => `import '${entry}';\n`).join(''));
  await run(process.execPath, [script], at(consumer));
  say(`imported ${entries.length} entries`);
}

/** Runs the installed command line. */
async function useCommand() {
  const headwise = join(consumer, 'node_modules/.bin/headwise');
  await run(headwise, ['--help'], at(consumer));
  const info = JSON.parse(await run(headwise, ['info', '--json'], at(consumer)));
  say(`ran headwise --help and headwise info: version ${info.version}, backend ${info.backend}`);
}

/** Trains with the installed packages. */
async function train() {
  const script = join(consumer, 'train-five-steps.mjs');
  cpSync(join(root, 'tools/release/train-five-steps.mjs'), script);
  say(`trained five steps: ${(await run(process.execPath, [script], at(consumer))).trim()}`);
}

function tarballOf(name, version) {
  return join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
}

function at(cwd) {
  return { cwd, signal };
}

function say(line) {
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`${seconds.padStart(6)} s  ${line}`);
}
