import { readFileSync } from 'node:fs';

/**
 * The operating system: `id` ('debian', 'ubuntu', 'fedora', 'darwin', …), the ids it is `like`, and
 * the `codename` of its release.
 */
export function system() {
  if (process.platform !== 'linux') return { id: process.platform, like: [], codename: '' };
  const fields = osRelease();
  return {
    id: fields.ID ?? 'linux',
    like: (fields.ID_LIKE ?? '').split(' ').filter(Boolean),
    codename: fields.VERSION_CODENAME ?? '',
  };
}

function osRelease() {
  let text = '';
  try {
    text = readFileSync('/etc/os-release', 'utf8');
  } catch {
    // A Linux without this file is one we know nothing about.
  }
  return Object.fromEntries(
    [...text.matchAll(/^(\w+)=(["']?)(.*)\2$/gm)].map(([, key, , value]) => [key, value]),
  );
}

const hasApt = ({ id }) => id === 'debian' || id === 'ubuntu';

/** Whether this script may install: root, on Debian or Ubuntu, and not forbidden by `HEADWISE_SETUP=0`. */
export function mayInstall() {
  return process.env.HEADWISE_SETUP !== '0' && process.getuid?.() === 0 && hasApt(system());
}

/** Other package managers: their command, and their names for Debian's packages. */
const managers = {
  fedora: {
    command: 'sudo dnf install',
    names: { libvulkan1: 'vulkan-loader', 'mesa-vulkan-drivers': 'mesa-vulkan-drivers' },
  },
  suse: {
    command: 'sudo zypper install',
    names: { libvulkan1: 'libvulkan1', 'mesa-vulkan-drivers': 'Mesa-vulkan-drivers' },
  },
  arch: {
    command: 'sudo pacman -S',
    names: { libvulkan1: 'vulkan-icd-loader', 'mesa-vulkan-drivers': 'vulkan-swrast' },
  },
};

/** The one line that a person would run to get the Debian `packages` on this system. */
export function hint(system, packages) {
  if (hasApt(system)) {
    const sudo = process.getuid() === 0 ? 'env -u HEADWISE_SETUP' : 'sudo';
    const flag = packages.includes('chromium') ? ' --tests' : '';
    return `${sudo} ${process.execPath} scripts/setup.mjs${flag}  (apt-get install ${packages.join(' ')})`;
  }
  if (system.id === 'darwin') return 'brew install --cask google-chrome';
  if (system.id === 'win32') return 'winget install Google.Chrome, and set CHROMIUM to chrome.exe';
  const family = [system.id, ...system.like].find((id) => id in managers);
  if (!family) return `${packages.join(' ')} (Debian's names), from your system's packages`;
  const { command, names } = managers[family];
  return `${command} ${packages.map((name) => names[name] ?? name).join(' ')}`;
}
