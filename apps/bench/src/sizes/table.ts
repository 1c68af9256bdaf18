import type { WeightDtype } from '@headwise/models';
import { modelParts } from '@headwise/models/internal';
import type { PublishedCheckpoint } from './checkpoints.js';
import { binds, type GenerationPlan, leastLimits, planGeneration } from './plan.js';

/** The types of the table's columns. */
export const types = ['f16', 'int8', 'int4'] as const;

/** Bytes of the devices that the table asks about. */
const devices = [1e9, 2e9, 4e9, 8e9];

/** Tokens of a sequence, where the model takes as many. */
const mostTokens = 2048;

export const heading: readonly string[] = [
  'checkpoint',
  'parameters',
  ...types,
  'tokens',
  'cache',
  'reading',
  ...devices.map((bytes) => `${bytes / 1e9} GB`),
  'least limits',
];

/** Tokens that a row of the table is planned for. */
export const tokensOf = (config: unknown): number =>
  Math.min(mostTokens, modelParts(config).maxLength ?? mostTokens);

/** Bytes as the table has them. */
export const megabytes = (bytes: number): string =>
  `${Math.round(bytes / 1e6).toLocaleString('en-US')} MB`;

/** The cells of a checkpoint's row, planned. */
export async function rowOf(checkpoint: PublishedCheckpoint): Promise<string[]> {
  const { name, config, parameters } = checkpoint;
  const tokens = tokensOf(config);
  const plans: (GenerationPlan & { dtype: WeightDtype; least: boolean })[] = [];
  for (const dtype of types) {
    const plan = await planGeneration(config, dtype, tokens);
    plans.push({ dtype, ...plan, least: await binds(config, dtype, leastLimits) });
  }
  const named = (chosen: typeof plans) => chosen.map(({ dtype }) => dtype).join(', ') || '–';
  // Packed weights are read in place: what reading takes besides is the same for every type.
  const beside = Math.max(...plans.map(({ peak, weights, cache }) => peak - weights - cache));
  return [
    `\`${name}\``,
    `${Math.round(parameters / 1e6).toLocaleString('en-US')} M`,
    ...plans.map(({ weights }) => megabytes(weights)),
    tokens.toLocaleString('en-US'),
    megabytes(plans[0]!.cache),
    megabytes(beside),
    ...devices.map((bytes) => named(plans.filter(({ peak }) => peak <= bytes))),
    named(plans.filter(({ least }) => least)),
  ];
}

/** A Markdown table as the formatter leaves it. */
export function markdown(rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows];
  const widths = heading.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(heading), rule, ...rows.map(line)].join('\n');
}

const [begin, end] = ['<!-- sizes -->\n\n', '\n\n<!-- /sizes -->'];

/** The rows of a document's table, without the heading. */
export function rowsIn(text: string): string[][] {
  const lines = text.split(begin)[1]?.split(end)[0]?.split('\n') ?? [];
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** A document with another table. */
export function withTable(text: string, table: string): string {
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end, from);
  if (from < begin.length || to < 0) {
    throw new Error(
      'the document has no table of sizes; expected <!-- sizes --> … <!-- /sizes -->',
    );
  }
  return text.slice(0, from) + table + text.slice(to);
}
