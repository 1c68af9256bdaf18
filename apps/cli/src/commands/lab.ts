import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FileError } from '@headwise/files';
import { Command } from 'commander';
import { port } from '../numbers.js';
import { output } from '../output.js';
import { serveFolder } from '../serve-folder.js';

/** The built app, beside the built command line. */
const folder = fileURLToPath(new URL('../lab', import.meta.url));

/** `headwise lab`: serves the lab, the research app in the browser, on this machine. */
export function labCommand(): Command {
  return new Command('lab')
    .option('--port <n>', 'the port to listen at; 0 takes a free one', port, 4173)
    .option('--host <address>', 'the address to listen at', '127.0.0.1')
    .option('--json', 'print JSON: url')
    .action(async (options: { port: number; host: string; json?: boolean }) => {
      const out = output(options.json ?? false);
      if (!existsSync(folder)) {
        throw new FileError(folder, 'the built lab is not there; pnpm build makes it');
      }
      const { url, loopback } = await serveFolder(folder, options);
      if (!loopback) {
        out.note(
          `headwise: warning: --host ${options.host} lets everyone who reaches this machine over the network open the lab`,
        );
      }
      out.emit({ url });
      out.say(`The lab is at ${url} until this is stopped with Ctrl-C.`);
      out.say('Models and texts stay in the browser; this only hands out the app.');
    });
}
