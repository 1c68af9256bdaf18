import { checkOneOf } from '@headwise/core';
import { commit } from '@headwise/files';
import { torchFiles } from '@headwise/runs/node';
import { Command } from 'commander';
import { checkNewFolder } from '../new-folder.js';
import { output } from '../output.js';

interface ExportOptions {
  to: string;
  model: string;
  out: string;
  corpus?: string;
  json?: boolean;
}

/** `headwise export`: a training run as another program goes on with it. */
export function exportCommand(): Command {
  return new Command('export')
    .requiredOption('--to <program>', 'torch: PyTorch, by the train.py that is written too')
    .requiredOption('--model <dir>', 'the folder of a run of headwise train, with a checkpoint')
    .requiredOption('--out <dir>', 'a new folder')
    .option('--corpus <path>', "the run's text, where it is no longer where the run's file says")
    .option('--json', 'print JSON: folder')
    .action(async ({ to, model, out: folder, corpus, json }: ExportOptions) => {
      const out = output(json ?? false);
      checkOneOf('--to', to, ['torch'] as const);
      await checkNewFolder('--out', folder);
      await commit(folder, await torchFiles(model, { corpus }));
      out.emit({ folder });
      out.say(`${model} for PyTorch: ${folder}\n\nnext:`);
      out.say(`  torchrun --nproc-per-node 2 ${folder}/train.py --out ${folder}-back`);
      out.say(`  headwise import --model ${folder}-back --out ${model}-on`);
    });
}
