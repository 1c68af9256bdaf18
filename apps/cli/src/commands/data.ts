import { Command } from 'commander';
import { dedupCommand } from './data/dedup.js';
import { filterCommand } from './data/filter.js';
import { mixCommand } from './data/mix.js';
import { reportCommand } from './data/report.js';
import { showCommand } from './data/show.js';
import { statsCommand } from './data/stats.js';
import { tokenizeDataCommand } from './data/tokenize.js';

/** `headwise data`: makes data worth training on out of raw text. */
export function dataCommand(): Command {
  return new Command('data')
    .addCommand(filterCommand())
    .addCommand(dedupCommand())
    .addCommand(tokenizeDataCommand())
    .addCommand(mixCommand())
    .addCommand(statsCommand())
    .addCommand(showCommand())
    .addCommand(reportCommand());
}
