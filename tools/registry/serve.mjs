// Serves an empty npm registry on a free loopback port until the process that forked it goes.
// Its argument is the folder to store in; the message to its parent is its address. The package.json pins node-fetch,
// which a dependency asks for by the tag `cjs`: not every mirror of npm's registry has that tag.
import { join } from 'node:path';
import { runServer } from 'verdaccio';

const [storage] = process.argv.slice(2);
const server = await runServer({
  configPath: join(storage, 'config.yaml'),
  storage,
  auth: { htpasswd: { file: join(storage, 'htpasswd') } },
  uplinks: {},
  packages: { '**': { access: '$all', publish: '$all' } },
  log: { type: 'stdout', level: 'error' },
});
server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}/`));
process.on('disconnect', () => process.exit());
