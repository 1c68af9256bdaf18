import { Command } from 'commander';

/** `headwise prompt`: works with prompts on a model in a folder or behind a server. */
export function promptCommand(): Command {
  return new Command('prompt');
}
