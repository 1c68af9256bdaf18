import { Command } from 'commander';
import { dedupCommand } from './data/dedup.js';

/** `headwise data`: makes data worth training on out of raw text. */
export function dataCommand(): Command {
  return new Command('data').addCommand(dedupCommand());
}
