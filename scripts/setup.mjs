// Runs before the installation, so with Node alone: looks for a WebGPU driver, and with --tests for a Chromium.
// As root on Debian or Ubuntu it installs what is missing, unless HEADWISE_SETUP=0 forbids it; elsewhere it prints
// the line that a person would run. What is still missing is not an error here, but for tests in CI.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Dawn, WebGPU in Node, refuses Mesa's software driver before this version. */
const leastMesa = 24;

const forTests = process.argv.includes('--tests');
const wanted = { driver: hasDriver(), ...(forTests ? { chromium: hasChromium() } : {}) };
const missing = Object.keys(wanted).filter((name) => !wanted[name]);
if (missing.length > 0 && !provide(missing) && forTests && process.env.CI) process.exit(1);

/** A Vulkan loader, and behind it a GPU or a software driver that Dawn takes; other systems have their own. */
function hasDriver() {
  if (process.platform !== 'linux' || process.env.VK_DRIVER_FILES) return true;
  const loader = spawnSync('ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? '';
  if (!loader.includes('libvulkan.so.1')) return false;
  const drivers = [
    '/usr/share/vulkan/icd.d',
    '/etc/vulkan/icd.d',
    '/usr/local/share/vulkan/icd.d',
  ].flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
  if (drivers.some((name) => name.startsWith('nvidia')) && existsSync('/dev/nvidiactl'))
    return true;
  if (drivers.length > 0 && existsSync('/dev/dri/renderD128')) return true;
  if (!drivers.some((name) => name.startsWith('lvp'))) return false;
  const version = mesaVersion('installed');
  return version === undefined || version >= leastMesa;
}

function hasChromium() {
  const places = [
    process.env.CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  return places.some((path) => path && existsSync(path));
}

/** The major version of Mesa's Vulkan drivers, installed or on offer; undefined where dpkg cannot tell. */
function mesaVersion(which) {
  const name = 'mesa-vulkan-drivers';
  const { stdout } =
    which === 'installed'
      ? spawnSync('dpkg-query', ['--show', name], { encoding: 'utf8' })
      : spawnSync('apt-cache', ['show', '--no-all-versions', name], { encoding: 'utf8' });
  const [, version] = /(?:^Version: |\t)(?:\d+:)?(\d+)\./m.exec(stdout ?? '') ?? [];
  return version === undefined ? undefined : Number(version);
}

/** Installs what is missing where that is allowed; else says how. Tells whether nothing is missing any more. */
function provide(names) {
  const release = systemRelease();
  // Ubuntu's own package chromium is only a door to a snap.
  const byHand = release.ID === 'ubuntu' && names.includes('chromium');
  const packages = names.flatMap((name) =>
    name === 'driver' ? ['libvulkan1', 'mesa-vulkan-drivers'] : byHand ? [] : ['chromium'],
  );
  if (byHand) console.warn('setup: no browser; install Google Chrome, or point CHROMIUM at one');
  if (packages.length === 0) return false;
  const installs = ['debian', 'ubuntu'].includes(release.ID) && process.getuid() === 0;
  if (!installs || process.env.HEADWISE_SETUP === '0') {
    console.warn(`setup: missing: ${names.join(' and ')}; ${lineFor(release, packages)}`);
    return false;
  }
  console.log(
    `setup: installing ${packages.join(' ')} with apt-get (HEADWISE_SETUP=0 forbids this)`,
  );
  const failed = install(packages, release);
  if (failed) console.warn(`setup: ${packages.join(' ')} cannot be installed: ${failed}`);
  return !failed && !byHand;
}

/** What a person would run. */
function lineFor({ ID, ID_LIKE = '' }, packages) {
  if (ID === 'fedora') return 'run: sudo dnf install vulkan-loader mesa-vulkan-drivers chromium';
  if (ID === 'arch') return 'run: sudo pacman -S vulkan-icd-loader vulkan-swrast chromium';
  if (`${ID} ${ID_LIKE}`.includes('debian'))
    return `run: sudo apt-get install ${packages.join(' ')}`;
  return 'install a Vulkan driver (Mesa 24 or newer does without a GPU) and a Chromium with your package manager';
}

/** @returns why it failed; undefined where it did not */
function install(packages, release) {
  const plain = packages.filter((name) => name !== 'mesa-vulkan-drivers');
  const failed = apt('update') ?? (plain.length > 0 ? apt('install', ...plain) : undefined);
  if (failed || plain.length === packages.length) return failed;
  if ((mesaVersion('offered') ?? 0) >= leastMesa) return apt('install', 'mesa-vulkan-drivers');
  const backports = `${release.VERSION_CODENAME}-backports`;
  return (
    addBackports(backports, release) ??
    apt('install', '--target-release', backports, 'mesa-vulkan-drivers')
  );
}

/** Adds the release's backports, from the mirror that apt uses already. */
function addBackports(backports, { ID, VERSION_CODENAME }) {
  if (ID !== 'debian') return `its Mesa is older than ${leastMesa}, and ${ID} has no newer one`;
  const { stdout } = spawnSync(
    'apt-get',
    ['indextargets', '--format', '$(REPO_URI)', `Release: ${VERSION_CODENAME}`],
    { encoding: 'utf8' },
  );
  const [mirror] = stdout.split('\n');
  if (!mirror) return `apt names no mirror for ${VERSION_CODENAME}`;
  const list = `/etc/apt/sources.list.d/${backports}.list`;
  writeFileSync(list, `deb ${mirror} ${backports} main\n`);
  return apt('update');
}

function apt(...args) {
  const { status, stderr, error } = spawnSync(
    'apt-get',
    ['--quiet=2', '--yes', '--no-install-recommends', ...args],
    { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } },
  );
  if (status === 0) return undefined;
  return error?.message ?? stderr.trim().split('\n').at(-1) ?? `apt-get ended with ${status}`;
}

/** The fields of /etc/os-release. */
function systemRelease() {
  if (!existsSync('/etc/os-release')) return { ID: process.platform };
  const lines = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)="?([^"\n]*)"?$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}
