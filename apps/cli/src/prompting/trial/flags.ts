import { integer } from '../../numbers.js';

export const dataHelp = 'labelled examples: JSON lines or Parquet; - is standard input';

/** Every value of an option that is repeated. */
export const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** Names with commas between them. */
export const list = (text: string): string[] => text.split(',').map((name) => name.trim());

/** Whole numbers with commas between them. */
export const integers = (text: string): number[] =>
  text.split(',').map((part) => integer(part.trim()));
