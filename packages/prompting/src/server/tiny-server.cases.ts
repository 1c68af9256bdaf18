import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Server } from '@headwise/server';
import { load } from '@headwise/text/node';
import { createAdaptorServer } from '@hono/node-server';

type Fetch = (request: Request) => Response | Promise<Response>;

/** Our server with a tiny model, over loopback, with faults in place of its next answers. */
export async function tinyServer() {
  const loaded = await load(fileURLToPath(new URL('../goldens/llama', import.meta.url)));
  const server = new Server([{ name: 'tiny', ...loaded } as never]);
  /** What goes wrong with the next requests, and those that came. */
  const faults: Fetch[] = [];
  const seen: Request[] = [];
  const http = createAdaptorServer({
    fetch: (request) => {
      seen.push(request.clone());
      return (faults.shift() ?? server.fetch)(request);
    },
  });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  return {
    ...{ loaded, server, faults, seen },
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`,
    close: async () => {
      await new Promise((closed) => http.close(closed));
      await server.close();
      loaded.model.params.dispose();
    },
  };
}

/** A fault with a status. */
export const status =
  (code: number, headers = {}): Fetch =>
  () =>
    Response.json({ error: { message: `fault ${code}` } }, { status: code, headers });
