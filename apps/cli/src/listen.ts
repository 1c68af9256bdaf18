import type { Server } from 'node:http';
import { type AddressInfo, BlockList, isIP } from 'node:net';
import { InputError } from '@headwise/core';

/** Where a server listens. */
export interface Listening {
  /** Its address, with a slash at the end. */
  url: string;
  /** Only this machine can reach it. */
  loopback: boolean;
}

/**
 * Lets a server listen.
 *
 * @param port 0 takes a free one
 * @throws InputError where the port or the address cannot be listened at
 */
export async function listen(
  server: Server,
  { port, host }: { port: number; host: string },
): Promise<Listening> {
  await new Promise<void>((listening, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is taken' : error.message;
      failed(new InputError(`--host ${host} --port ${port}: cannot be listened at: ${reason}`));
    });
    server.listen(port, host, listening);
  });
  const { address, family, port: taken } = server.address() as AddressInfo;
  const name = family === 'IPv6' ? `[${address}]` : address;
  return { url: `http://${name}:${taken}/`, loopback: isLoopback(address) };
}

const loopbackAddresses = new BlockList();
loopbackAddresses.addSubnet('127.0.0.0', 8, 'ipv4');
loopbackAddresses.addAddress('::1', 'ipv6');

function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && loopbackAddresses.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** Whether a `Host` header names this machine. */
export function namesThisMachine(header: string | undefined): boolean {
  // Only a name and a port: with more, a URL finds the name elsewhere.
  if (!header || /[^\w.:[\]-]/.test(header) || !URL.canParse(`http://${header}`)) return false;
  const name = new URL(`http://${header}`).hostname.replace(/^\[|\]$/g, '');
  return name === 'localhost' || name.endsWith('.localhost') || isLoopback(name);
}

/** Whether a host that a person names is this machine alone; names other than `localhost` may be anything. */
export const isThisMachine = (host: string): boolean => host === 'localhost' || isLoopback(host);
