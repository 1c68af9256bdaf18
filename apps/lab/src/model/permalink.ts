import { InputError } from '@headwise/core';
import { strFromU8, strToU8, unzlibSync, zlibSync } from 'fflate';
import { parseRunConfig, type RunConfig } from './run-config.js';

/** No configuration is longer; a link that unpacks to more is refused unread. */
const mostBytes = 10_000;

/** A configuration as a part of an address. */
export function packConfig(config: RunConfig): string {
  const packed = zlibSync(strToU8(JSON.stringify(config)), { level: 9 });
  return btoa(String.fromCharCode(...packed))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

/**
 * The configuration in a link.
 *
 * @throws InputError for whatever is not a configuration of the lab's
 */
export function unpackConfig(text: string): RunConfig {
  let json: unknown;
  try {
    if (text.length > mostBytes) throw new Error('it is too long');
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
    const out = new Uint8Array(mostBytes);
    json = JSON.parse(strFromU8(unzlibSync(bytes, { out })).replace(/\0+$/, ''));
  } catch (error) {
    throw new InputError(
      `The link holds no configuration (${(error as Error).message}). Ask for it again, or set up the run by hand.`,
    );
  }
  return parseRunConfig(json, 'The link');
}
