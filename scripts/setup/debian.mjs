import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { system } from './system.mjs';
import { minimumMesa } from './vulkan.mjs';

/**
 * Installs Debian or Ubuntu `packages`, Mesa's drivers from the release's backports where the release's
 * own are too old. Tells `say` what it does; returns the reasons of what failed.
 */
export function aptInstall(packages, say) {
  say(`installing ${packages.join(', ')} with apt-get; HEADWISE_SETUP=0 forbids it.`);
  const failures = [];
  const attempt = (step) => {
    try {
      step();
    } catch (error) {
      failures.push(error.message);
    }
  };
  // A source that has nothing to do with us may fail; the installation tells whether it matters.
  attempt(() => apt('update'));
  const updateFailures = failures.splice(0);
  const plain = packages.filter((name) => name !== 'mesa-vulkan-drivers');
  if (plain.includes('libvulkan1')) attempt(() => apt('install', 'libvulkan1'));
  if (packages.includes('mesa-vulkan-drivers')) attempt(() => installMesa(say));
  if (plain.includes('chromium')) attempt(installChromium);
  return failures.length > 0 ? [...updateFailures, ...failures] : [];
}

function installMesa(say) {
  let release = [];
  if (candidate('mesa-vulkan-drivers') < minimumMesa)
    release = [`--target-release=${backports(say)}`];
  apt('install', ...release, 'mesa-vulkan-drivers');
}

function installChromium() {
  if (system().id === 'ubuntu') {
    throw new Error(
      'Ubuntu offers Chromium only as a snap: run `snap install chromium`, ' +
        'or install Chrome and set CHROMIUM to its path',
    );
  }
  apt('install', 'chromium');
}

/** The major version that apt would install of a package; 0 where it knows none. */
function candidate(name, ...options) {
  const policy = run('apt-cache', [...options, 'policy', name]);
  return Number.parseInt(/Candidate: (\d+)/.exec(policy)?.[1] ?? '0', 10);
}

/** Name of the release's backports, after adding them to apt's sources where they are not there. */
function backports(say) {
  const { id, codename } = system();
  const suite = `${codename}-backports`;
  if (!source(suite)) {
    const main = source(codename);
    if (!main) throw new Error(`apt has no source for ${id} ${codename}, so none for ${suite}`);
    const file = `/etc/apt/sources.list.d/${suite}.list`;
    if (existsSync(file))
      throw new Error(`${file} is there, but apt does not read ${suite} from it`);
    say(`adding ${suite}, for a newer Mesa, from the mirror in use here: ${file}`);
    const options = main.signedBy ? `[signed-by=${main.signedBy}] ` : '';
    writeFileSync(file, `deb ${options}${main.uri} ${suite} main\n`);
    apt('update');
  }
  const version = candidate('mesa-vulkan-drivers', `--target-release=${suite}`);
  if (version < minimumMesa) {
    throw new Error(
      `${suite} has Mesa ${version || 'not at all'}; ${minimumMesa} or newer is needed`,
    );
  }
  return suite;
}

/** Where apt gets the component main of a suite of the distribution from. */
function source(codename) {
  const line = run('apt-get', [
    'indextargets',
    '--format=$(REPO_URI) $(SIGNED_BY)',
    `Codename: ${codename}`,
    'Component: main',
    'Created-By: Packages',
  ]).split('\n')[0];
  if (!line) return undefined;
  const [uri, signedBy] = line.split(' ');
  return { uri, signedBy };
}

function apt(command, ...args) {
  const options = ['-qq', '--option=DPkg::Lock::Timeout=120'];
  if (command === 'install') options.push('--yes', '--no-install-recommends');
  run('apt-get', [command, ...options, ...args]);
}

/** Output of a command; where it fails, an error with what it said. */
function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 2 ** 26,
  });
  if (status === 0) return stdout;
  const errors = stderr?.split('\n').filter((line) => line.startsWith('E:'));
  const reason = errors?.join('; ') || stderr?.trim() || error?.message || `exit status ${status}`;
  throw new Error(`\`${[command, ...args].join(' ')}\` failed: ${reason}`);
}
