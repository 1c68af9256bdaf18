import { commit } from '@headwise/files';
import { importedRun } from '@headwise/runs/node';
import { Command } from 'commander';
import { checkNewFolder } from '../new-folder.js';
import { output } from '../output.js';

interface ImportOptions {
  model: string;
  out: string;
  json?: boolean;
}

/** `headwise import`: a run that `train.py` went on with, as a folder that `headwise train --resume` goes on from. */
export function importCommand(): Command {
  return new Command('import')
    .requiredOption('--model <dir>', 'the folder that train.py wrote')
    .requiredOption('--out <dir>', 'a new folder, for the run')
    .option('--json', 'print JSON: folder, family, step, steps')
    .action(async ({ model, out: folder, json }: ImportOptions) => {
      const out = output(json ?? false);
      await checkNewFolder('--out', folder);
      const { change, family, step, steps } = await importedRun(model);
      await commit(folder, change);
      out.emit({ folder, family, step, steps });
      out.say(`${family} after ${step} of ${steps} steps, with its optimizer: ${folder}`);
      out.say(
        `\nnext:\n  headwise train --config ${folder}/trainer/config.json --out ${folder} --resume`,
      );
    });
}
