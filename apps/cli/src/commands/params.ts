import { describeCheckpoint } from '@headwise/models';
import { diskFiles } from '@headwise/models/node';
import { Command } from 'commander';
import { output } from '../output.js';

/** `headwise params`: every parameter of a model folder, its shape, count and bytes. */
export function paramsCommand(): Command {
  return new Command('params')
    .requiredOption('--model <dir>', 'a model folder or a GGUF file')
    .option('--json', 'print JSON: family, parameters, count, bytes, unusedKeys')
    .action(async (options: { model: string; json?: boolean }) => {
      const out = output(options.json ?? false);
      const described = await describeCheckpoint(diskFiles(options.model));
      const { family, parameters, unusedKeys } = described;
      const total = (of: 'count' | 'bytes') => parameters.reduce((sum, row) => sum + row[of], 0);
      out.emit({ ...described, count: total('count'), bytes: total('bytes') });
      const rows = parameters.map(({ path, key, dtype, shape, count, bytes }) => [
        path,
        key,
        dtype,
        `[${shape.join(', ')}]`,
        numeral(count),
        numeral(bytes),
      ]);
      const sums = ['', '', '', '', numeral(total('count')), numeral(total('bytes'))];
      const head = ['parameter', 'key', 'type', 'shape', 'count', 'bytes'];
      for (const line of table([head, ...rows, sums])) out.say(line);
      out.say(`${parameters.length} parameters of the family ${family}`);
      if (unusedKeys.length > 0) out.say(`not used: ${unusedKeys.join(', ')}`);
    });
}

const numeral = (n: number): string => n.toLocaleString('en-US');

/** Lines of columns that are as wide as they must be; the last two hold numbers. */
function table(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const numbers = widths.length - 2;
  return rows.map((row) =>
    row
      .map((text, i) => (i < numbers ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
