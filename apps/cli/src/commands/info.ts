import { Command } from 'commander';
import { backendOption, start } from '../backend.js';
import { output } from '../output.js';
import { version } from '../version.js';

/** `headwise info`: which backend runs here, and with what. */
export function infoCommand(): Command {
  return new Command('info')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON')
    .action(async (options: { backend?: string; json?: boolean }) => {
      const out = output(options.json ?? false);
      const report = await start(out, backendOption(options.backend));
      out.emit({ version, node: process.version, ...report });
      out.say(`headwise ${version}, Node ${process.version}`);
      out.say(`backend   ${report.backend}${report.software ? ' (computed in software)' : ''}`);
      if (report.adapter) out.say(`adapter   ${report.adapter}, ${report.vendor}`);
      if (report.features.length > 0) out.say(`features  ${report.features.join(' ')}`);
      for (const [name, limit] of Object.entries(report.limits))
        out.say(`limit     ${name} ${limit}`);
    });
}
