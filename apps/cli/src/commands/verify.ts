import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { InputError } from '@headwise/core';
import { folderFiles, loadModel } from '@headwise/models/node';
import {
  type Check,
  checkBetween,
  checkModel,
  checkOperations,
  hasGolden,
  type ModelGroup,
  modelGroups,
  outputsForIds,
  receiptOf,
  receiptTable,
} from '@headwise/parity';
import { goldenFolders } from '@headwise/parity/node';
import { Command, Option } from 'commander';
import { backendOption, start } from '../backend.js';
import { checkModelFolder } from '../model-folder.js';
import { checkOutFile } from '../out-file.js';
import { type Output, output } from '../output.js';

interface VerifyOptions {
  model?: string;
  only?: string;
  group?: ModelGroup;
  out?: string;
  backend?: string;
  json?: boolean;
}

/** `headwise verify`: a receipt of how exact this adapter computes. */
export function verifyCommand(): Command {
  return new Command('verify')
    .option(
      '--model <dir>',
      'a model folder instead: by its expected.safetensors, or by what the cpu computes',
    )
    .addOption(
      new Option(
        '--only <text>',
        'of the models that come along, those whose name has this in it',
      ).conflicts('model'),
    )
    .addOption(
      new Option('--group <name>', 'of the models that come along, those of a group')
        .choices(modelGroups)
        .conflicts('model'),
    )
    .option('--out <file>', 'also write the receipt as JSON')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print the receipt as JSON')
    .addHelpText('after', '\nExit codes: 0 every bound holds, 1 one is broken, 2 bad input.')
    .action(async (options: VerifyOptions) => {
      const out = output(options.json ?? false);
      backendOption(options.backend);
      if (options.out !== undefined) await checkOutFile('--out', options.out);
      if (options.model !== undefined) await checkModelFolder(options.model);
      const checks = options.model
        ? await checksOf(out, options.model, options)
        : await checksOfAll(out, options);
      const made = receiptOf(checks.report, checks.made);
      out.say(receiptTable(made));
      out.say('a line is the worst of its kind; --json and --out have every comparison');
      const wrong = made.checks.filter(({ ok }) => !ok);
      out.say(
        made.ok
          ? `all ${made.checks.length} comparisons are within their bounds`
          : `${wrong.length} of ${made.checks.length} comparisons are out of bounds: ${wrong
              .slice(0, 5)
              .map(({ subject, part }) => `${subject} ${part}`)
              .join(', ')}`,
      );
      out.emit(made);
      if (options.out) await writeFile(options.out, `${JSON.stringify(made, null, 2)}\n`);
      if (!made.ok) process.exitCode = 1;
    });
}

type Report = Awaited<ReturnType<typeof start>>;

interface Made {
  report: Report;
  made: Check[];
}

/** Of operations, and of the models that come along. */
async function checksOfAll(out: Output, { backend, only, group }: VerifyOptions): Promise<Made> {
  const known = await goldenFolders({ group });
  const folders = known.filter(({ name }) => !only || name.includes(only));
  if (folders.length === 0) {
    const names = known.map(({ name }) => name).join(', ');
    const where = group ? `in group ${group} there are` : 'there are';
    throw new InputError(`--only '${only}': no model is called so; ${where} ${names}`);
  }
  const report = await start(out, backendOption(backend));
  sayWhere(out, report);
  const made: Check[] = [];
  if (!only && !group) for await (const each of checkOperations()) made.push(each);
  for (const { name, path } of folders) {
    for await (const each of checkModel(name, folderFiles(path))) made.push(each);
  }
  return { report, made };
}

/** Of somebody's model. */
async function checksOf(out: Output, folder: string, { backend }: VerifyOptions): Promise<Made> {
  const files = folderFiles(folder);
  const name = basename(resolve(folder));
  const made: Check[] = [];
  if (await hasGolden(files)) {
    const report = await start(out, backendOption(backend));
    sayWhere(out, report);
    for await (const each of checkModel(name, files)) made.push(each);
    return { report, made };
  }
  const outputs = async () => {
    const model = await loadModel(folder);
    try {
      return await outputsForIds(model);
    } finally {
      model.params.dispose();
    }
  };
  await start(out, 'cpu');
  const expected = await outputs();
  const report = await start(out, backendOption(backend));
  sayWhere(out, report);
  out.say('compared with what the cpu backend computes from the same folder');
  return { report, made: checkBetween(name, await outputs(), expected) };
}

function sayWhere(out: Output, { backend, adapter, software }: Report): void {
  const where = adapter ? `, ${adapter}${software ? ' (computed in software)' : ''}` : '';
  out.say(`backend ${backend}${where}`);
}
