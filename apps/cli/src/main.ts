#!/usr/bin/env node
import * as tf from '@tensorflow/tfjs';
import { Command, CommanderError } from 'commander';
import { convertCommand } from './commands/convert.js';
import { evalCommand } from './commands/eval.js';
import { generateCommand } from './commands/generate.js';
import { infoCommand } from './commands/info.js';
import { inspectCommand } from './commands/inspect.js';
import { labCommand } from './commands/lab.js';
import { logitsCommand } from './commands/logits.js';
import { paramsCommand } from './commands/params.js';
import { tokenizeCommand } from './commands/tokenize.js';
import { tokenizerCommand } from './commands/tokenizer.js';
import { trainCommand } from './commands/train.js';
import { verifyCommand } from './commands/verify.js';
import { exitCodeOf, messageOf, shortened } from './exit.js';
import { version } from './version.js';

// Silences TensorFlow.js's advice to install its native bindings, also where no backend is started.
tf.env().set('PROD', true);

const program = new Command('headwise')
  .description('Train, sample and inspect transformers on WebGPU, wasm or cpu.')
  .version(version)
  .configureOutput({ outputError: (message, write) => write(shortened(message)) })
  .showHelpAfterError('(add --help for what the command takes)')
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 the input cannot be used.');

for (const command of [
  infoCommand(),
  trainCommand(),
  generateCommand(),
  tokenizeCommand(),
  tokenizerCommand(),
  logitsCommand(),
  paramsCommand(),
  evalCommand(),
  labCommand(),
  convertCommand(),
  verifyCommand(),
  inspectCommand(),
]) {
  program.addCommand(command.copyInheritedSettings(program).exitOverride());
  for (const child of command.commands) child.copyInheritedSettings(command);
}
program.exitOverride();

// Whoever read our output has enough, as `head` has: no fault to report.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`headwise: ${messageOf(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
