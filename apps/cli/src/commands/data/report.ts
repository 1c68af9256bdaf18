import { InputError } from '@headwise/core';
import { writeFile } from '@headwise/files';
import { loadTokenizer } from '@headwise/tokenizers/node';
import { Command } from 'commander';
import { output } from '../../output.js';
import { pipelineFindings } from '../../report/pipeline-findings.js';
import { pipelinePage } from '../../report/pipeline-page.js';
import { readPipeline, refuseSaid } from './pipeline.js';
import { shareOf } from './run.js';

interface Options {
  out: string;
  pipeline?: string;
  tokenizer?: string;
  json?: boolean;
}

/** `headwise data report`: one page of what a pipeline kept and dropped. */
export function reportCommand(): Command {
  return new Command('report')
    .description('write one page of what the runs of a pipeline kept and dropped, by rule')
    .argument('[folders...]', 'folders of data filter, dedup and tokenize, in their order')
    .option('--pipeline <file>', 'instead: a pipeline file, whose folders are read')
    .requiredOption('--out <file>', 'the page, HTML')
    .option('--tokenizer <path>', 'estimates tokens too: a tokenizer.json, or a folder with one')
    .option('--json', 'print the same as JSON')
    .addHelpText('after', '\nExamples and sizes are those of stored rejects ("rejects": true).')
    .action(async (given: string[], { pipeline, ...options }: Options) => {
      const out = output(options.json ?? false);
      const tokenizer =
        options.tokenizer === undefined ? undefined : await loadTokenizer(options.tokenizer);
      const stages = await pipelineFindings(await foldersOf(given, pipeline), tokenizer);
      await writeFile(options.out, pipelinePage(stages));
      out.emit({ stages });
      const raw = stages[0]!.read;
      const { documents, bytes, tokens } = stages.at(-1)!.steps.at(-1)!.kept;
      out.say(
        `documents  ${documents} of ${raw.documents} kept, ${shareOf(documents, raw.documents)}`,
      );
      out.say(`bytes      ${bytes} of ${raw.bytes} kept, ${shareOf(bytes, raw.bytes)}`);
      if (tokens !== undefined && raw.tokens !== undefined) {
        out.say(`tokens     about ${tokens} of ${raw.tokens} kept, ${shareOf(tokens, raw.tokens)}`);
      }
      out.say(options.out);
    });
}

async function foldersOf(given: string[], pipeline: string | undefined): Promise<string[]> {
  if (pipeline === undefined) {
    if (given.length > 0) return given;
    throw new InputError('the folders are missing; expected folders, or --pipeline');
  }
  refuseSaid(pipeline, given, {});
  const { filter, dedup, tokenize } = await readPipeline(pipeline);
  return [filter, dedup, tokenize].flatMap((stage) => (stage ? [stage.out] : []));
}
