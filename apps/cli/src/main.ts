#!/usr/bin/env node
import { run } from './run.js';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The terminal is closed: SIGHUP says so too, and a run is saved then.
  if (error.code === 'EIO') return;
  // Whoever read our output has enough, as `head` has: no fault to report.
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EIO') throw error;
});

const code = await run(process.argv.slice(2));
// A command that was stopped has set its own.
if (code !== 0) process.exitCode = code;
