import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A commit checked out into a folder of its own, installed and built. */
export interface Checkout {
  /** The whole hash. */
  commit: string;
  folder: string;
  /** Removes the folder, and git's note of it. */
  remove(): void;
}

/** A commit that is not found, or does not build. */
export class CheckoutError extends Error {}

/**
 * Checks a commit out beside a repository, under the system's folder of temporary files, and builds it there. Packages come from pnpm's store
 * alone, so that nothing is fetched.
 *
 * @param root the repository's folder, whose working tree stays as it is
 * @throws CheckoutError where git has no such commit, or the commit does not install or build; nothing of it stays then
 */
export function checkOut(root: string, ref: string): Checkout {
  const found = run(root, 'git', ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`]);
  if (found.status !== 0) {
    throw new CheckoutError(
      `--compare: '${ref}' is no commit of ${root}; expected a branch, a tag or a hash`,
    );
  }
  const commit = found.stdout.trim();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'headwise-compare-')));
  const remove = () => {
    run(root, 'git', ['worktree', 'remove', '--force', folder]);
    rmSync(folder, { recursive: true, force: true });
    run(root, 'git', ['worktree', 'prune']);
  };
  const steps: [what: string, command: string, args: string[], cwd: string][] = [
    ['check out', 'git', ['worktree', 'add', '--detach', folder, commit], root],
    ['install', 'pnpm', ['install', '--frozen-lockfile', '--offline'], folder],
    ['build', 'pnpm', ['--silent', 'build'], folder],
  ];
  for (const [what, command, args, cwd] of steps) {
    const { status, stdout, stderr, error } = run(cwd, command, args);
    if (status === 0) continue;
    remove();
    const said = error?.message ?? lastLines(`${stdout}\n${stderr}`);
    throw new CheckoutError(`--compare: cannot ${what} ${commit.slice(0, 8)}: ${said}`);
  }
  return { commit, folder, remove };
}

const run = (cwd: string, command: string, args: string[]) =>
  spawnSync(command, args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' });

const lastLines = (text: string): string => text.trim().split('\n').slice(-12).join('\n');
