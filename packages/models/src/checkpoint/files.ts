import { InputError } from '@headwise/core';
import { blobBytes } from '@headwise/safetensors';
import { ggufFiles, isGgufName } from '../gguf/read/file.js';
import { type HubOptions, hubName } from '../hub/address.js';
import { hubFiles } from '../hub/files.js';
import type { CheckpointFiles, CheckpointTensors } from './checkpoint-files.js';
import { type FetchFile, type WebOptions, webFile } from './web.js';

export type { CheckpointFiles, CheckpointTensors };

/**
 * Where a checkpoint is: the address of its folder on the web, or of a GGUF file, a repository of a hub as `owner/name`, a GGUF file of it
 * as `owner/name/FILE.gguf`, files that a person chose, a function that fetches a file by its name, or anything else that opens files.
 */
export type CheckpointPlace = string | URL | readonly File[] | FetchFile | CheckpointFiles;

/**
 * The files of a checkpoint.
 *
 * @throws InputError for an address that is none
 */
export function checkpointFiles(
  place: CheckpointPlace,
  options: HubOptions & WebOptions = {},
): CheckpointFiles {
  if (typeof place === 'function') {
    return { name: '', open: (file) => webFile(place, file, file, options) };
  }
  if (typeof place === 'string' && hubName(place)) return hubFiles(place, options);
  if (typeof place === 'string' || place instanceof URL) return webFolder(place, options);
  return 'open' in place ? place : chosenFiles(place);
}

function webFolder(place: string | URL, options: WebOptions): CheckpointFiles {
  if (isGgufName(String(place))) return webGguf(String(place), options);
  const address = String(place).replace(/\/*$/, '/');
  const page = globalThis.location?.href;
  const base = URL.canParse(address, page) ? new URL(address, page) : undefined;
  if (!base || !/^https?:$/.test(base.protocol)) throw notAnAddress(place);
  return {
    name: base.href,
    open(file) {
      const url = new URL(file, base);
      url.search = base.search;
      return webFile((_, init) => fetch(url, init), file, url.href, options);
    },
  };
}

function webGguf(place: string, options: WebOptions): CheckpointFiles {
  const page = globalThis.location?.href;
  const url = URL.canParse(place, page) ? new URL(place, page) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw notAnAddress(place);
  const file = url.pathname.split('/').at(-1)!;
  return ggufFiles(url.href, async () => {
    const opened = await webFile((_, init) => fetch(url, init), file, url.href, options);
    if (opened) return opened;
    throw new InputError(`${url.href}: is missing`);
  });
}

const notAnAddress = (place: string | URL): InputError =>
  new InputError(`'${place}' is not an address on the web; expected one of http or https`);

function chosenFiles(files: readonly File[]): CheckpointFiles {
  const [file, ...others] = files;
  if (file && others.length === 0 && isGgufName(file.name)) {
    return ggufFiles(file.name, async () => blobBytes(file, file.name));
  }
  return {
    name: '',
    async open(name) {
      const within = files.filter((file) => pathOf(file) === name);
      const found = within.length > 0 ? within : files.filter((file) => file.name === name);
      if (found.length > 1) {
        throw new InputError(
          `${name}: chosen ${found.length} times; expected the files of one folder`,
        );
      }
      return found[0] && blobBytes(found[0], name);
    },
  };
}

/** The path of a file in the folder that was chosen; its name where single files were. */
const pathOf = ({ name, webkitRelativePath: path }: File): string =>
  path ? path.slice(path.indexOf('/') + 1) : name;
