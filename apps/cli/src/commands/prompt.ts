import { Command } from 'commander';
import { makeCommand } from './prompt/make.js';
import { optimizeCommand } from './prompt/optimize.js';
import { trialCommand } from './prompt/trial.js';

/** `headwise prompt`: works with prompts on a model in a folder or behind a server. */
export function promptCommand(): Command {
  return new Command('prompt')
    .addCommand(trialCommand())
    .addCommand(optimizeCommand())
    .addCommand(makeCommand());
}
