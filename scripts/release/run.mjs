import { spawn } from 'node:child_process';
import { basename } from 'node:path';

/**
 * Runs a command to its end; an aborted signal kills it.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, signal: AbortSignal }} options
 * @returns {Promise<string>} its standard output
 * @throws Error naming the command, with all that it printed as the cause
 */
export function run(command, args, { cwd, signal }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      signal,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      printed += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      printed += text;
    });
    let failure;
    child.on('error', (error) => {
      failure = `could not be run: ${error.message}`;
    });
    // Not before it is gone: what it works on is removed next.
    child.on('close', (code, killer) => {
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve(output);
      else {
        const ending = failure ?? (killer ? `was killed by ${killer}` : `ended with ${code}`);
        const line = [basename(command), ...args].join(' ');
        reject(new Error(`'${line}' ${ending}`, { cause: printed.trimEnd() }));
      }
    });
  });
}
