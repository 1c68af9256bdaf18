import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { loadModel, saveModel } from '@headwise/models/node';

await start();
const folder = await mkdtemp(join(tmpdir(), 'tiny-'));
const sizes = { vocab_size: 100, n_positions: 32, n_embd: 16, n_layer: 2, n_head: 4 };
await saveModel(folder, createModel({ model_type: 'gpt2', ...sizes }));

// A hub of one's own: it lists a repository at a revision, and gives its files at a commit.
const files = new Map<string, Uint8Array>();
for (const name of await readdir(folder)) files.set(name, await readFile(join(folder, name)));
const siblings = [...files].map(([rfilename, { length: size }]) => ({ rfilename, size }));
const listing = JSON.stringify({ sha: 'c0ffee'.padEnd(40, '0'), siblings });
const hub = createServer(({ url = '' }, response) => {
  response.end(url.startsWith('/api/') ? listing : files.get(basename(url)));
});
await new Promise<void>((done) => hub.listen(0, '127.0.0.1', done));
const endpoint = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`;

const options = {
  revision: 'main', // a branch, tag or commit
  cacheFolder: await mkdtemp(join(tmpdir(), 'cache-')),
  endpoint, // without it, huggingface.co
  allowLoopbackHttp: true, // else https alone
};
const loaded = await loadModel('owner/tiny', options);
console.log(loaded.params.count()); // 8704
hub.close();
const again = await loadModel('owner/tiny', { ...options, offline: true });
console.log(again.unusedKeys); // []
