// Pinned packages of Python, for the scripts that make goldens and compare with other libraries.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs a program, and ends this one where it fails. */
export function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', ...options });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * A virtual environment in the system's temporary folder that has the packages of a file of requirements; made, or brought up to date.
 *
 * @returns its folder, and its Python
 */
export function environment(name, requirements) {
  const folder = join(tmpdir(), `headwise-${name}`);
  run('python3', ['-m', 'venv', folder]);
  const python = join(folder, 'bin', 'python');
  run(python, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    requirements,
  ]);
  return { folder, python };
}
