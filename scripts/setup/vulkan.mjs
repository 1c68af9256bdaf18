// Looks for Vulkan as Dawn will: the loader libvulkan.so.1, and a driver that the loader would find.
// https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md#driver-discovery
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Dawn refuses older ones: Debian 12 has 22.3. */
export const minimumMesa = 24;

// Dawn uses Metal on macOS and Direct3D 12 on Windows, which are always there.
const needsVulkan = process.platform === 'linux';

/** Whether the Vulkan loader is there, or not needed. */
export function vulkanLoader() {
  return !needsVulkan || findLibrary('libvulkan.so.1');
}

/** Whether a Vulkan driver is there that Dawn accepts, or none is needed. */
export function vulkanDriver() {
  return !needsVulkan || manifests().some(isUsable);
}

/** The major version of Debian's package of Mesa's drivers; undefined where dpkg knows none. */
function mesaVersion() {
  const { status, stdout } = spawnSync(
    'dpkg-query',
    ['--show', '--showformat=${Version}', 'mesa-vulkan-drivers'],
    { encoding: 'utf8' },
  );
  return status === 0 && stdout ? Number.parseInt(stdout, 10) : undefined;
}

function isUsable(manifest) {
  const library = driverLibrary(manifest);
  if (!library || !findLibrary(library, dirname(manifest))) return false;
  if (library.includes('nvidia')) return nvidiaDevice();
  // Elsewhere than on Debian and Ubuntu the version is not known, and taken to be new enough.
  const isMesa = /libvulkan_\w+\.so$/.test(library);
  return !isMesa || (mesaVersion() ?? minimumMesa) >= minimumMesa;
}

/** NVIDIA's driver may be installed where the GPU is not, as in many container images. */
const nvidiaDevice = () => ['/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path));

function driverLibrary(manifest) {
  try {
    return JSON.parse(readFileSync(manifest, 'utf8')).ICD.library_path;
  } catch {
    return undefined; // The loader, too, passes over a manifest that it cannot read.
  }
}

/** Every driver manifest that the loader would read. */
function manifests() {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, VK_ADD_DRIVER_FILES } = process.env;
  const forced = split(VK_DRIVER_FILES || VK_ICD_FILENAMES);
  const places = forced.length > 0 ? forced : [...split(VK_ADD_DRIVER_FILES), ...manifestFolders()];
  return places.flatMap((place) => (isFolder(place) ? jsonFilesIn(place) : [place]));
}

function manifestFolders() {
  const env = process.env;
  return [
    env.XDG_CONFIG_HOME || join(homedir(), '.config'),
    ...split(env.XDG_CONFIG_DIRS || '/etc/xdg'),
    '/usr/local/etc',
    '/etc',
    env.XDG_DATA_HOME || join(homedir(), '.local/share'),
    ...split(env.XDG_DATA_DIRS || '/usr/local/share:/usr/share'),
  ].map((folder) => join(folder, 'vulkan/icd.d'));
}

function findLibrary(name, relativeTo = '/') {
  if (name.includes('/')) return existsSync(resolve(relativeTo, name));
  return libraryFolders().some((folder) => existsSync(join(folder, name)));
}

function libraryFolders() {
  const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch] ?? '';
  const usual = ['/usr/lib', '/usr/local/lib', '/lib'].flatMap((folder) => [
    join(folder, triplet),
    folder,
  ]);
  return [...split(process.env.LD_LIBRARY_PATH), ...usual, '/usr/lib64', '/usr/lib/wsl/lib'];
}

const split = (list) => (list ?? '').split(':').filter(Boolean);
const isFolder = (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
const jsonFilesIn = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(folder, name));
