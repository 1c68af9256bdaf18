#!/usr/bin/env node
import { run } from './run.js';

// Whoever read our output has enough, as `head` has: no fault to report.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const code = await run(process.argv.slice(2));
// A command that was stopped has set its own.
if (code !== 0) process.exitCode = code;
