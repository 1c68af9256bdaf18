import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commit, Folder } from '@headwise/files';

const path = join(await mkdtemp(join(tmpdir(), 'files-')), 'model');
await commit(path, { write: { 'config.json': '{}', 'weights.bin': Uint8Array.of(1, 2) } });
await commit(path, {
  write: { 'config.json': '{"a": 1}' },
  remove: (name) => name === 'weights.bin',
});

const folder = await Folder.open(path);
console.log(await folder.names()); // [ 'config.json' ]
console.log(new TextDecoder().decode(await folder.read('config.json'))); // {"a": 1}
