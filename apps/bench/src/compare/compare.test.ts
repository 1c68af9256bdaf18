import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CheckoutError, checkOut } from './checkout.js';
import { Side } from './questions.js';
import { ratioOf } from './ratio.js';

/** A repository of one package, whose build copies `what` into `built`; its commits, the first one first. */
function repository(...contents: string[]): { root: string; commits: string[] } {
  const root = mkdtempSync(join(tmpdir(), 'compare-test-'));
  const git = (...args: string[]) => {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
    const { status, stdout, stderr } = spawnSync('git', [...identity, ...args], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    return stdout.trim();
  };
  git('init', '--quiet');
  const write = (name: string, text: string) => writeFileSync(join(root, name), text);
  write(
    'package.json',
    JSON.stringify({ name: 'one', scripts: { build: 'node build.mjs' }, private: true }),
  );
  write('pnpm-lock.yaml', "lockfileVersion: '9.0'\nimporters:\n  .: {}\n");
  write(
    'build.mjs',
    `import { readFileSync, writeFileSync } from 'node:fs';
    const what = readFileSync('what', 'utf8');
    if (what === 'nothing') throw new Error('nothing to build');
    writeFileSync('built', what);`,
  );
  const commits = contents.map((content) => {
    write('what', content);
    git('add', '.');
    git('commit', '--quiet', '--message', content);
    return git('rev-parse', 'HEAD');
  });
  return { root, commits };
}

const worktrees = (root: string): number =>
  spawnSync('git', ['worktree', 'list'], { cwd: root, encoding: 'utf8' }).stdout.trim().split('\n')
    .length;

test('a commit is built beside the working tree, and nothing of it stays', () => {
  const { root, commits } = repository('old', 'nothing', 'new');
  const { commit, folder, remove } = checkOut(root, 'HEAD~2');
  expect(commit).toBe(commits[0]);
  expect(readFileSync(join(folder, 'built'), 'utf8')).toBe('old');
  expect(readFileSync(join(root, 'what'), 'utf8')).toBe('new');
  expect(existsSync(join(root, 'built'))).toBe(false);
  remove();
  expect(existsSync(folder)).toBe(false);
  expect(worktrees(root)).toBe(1);

  expect(() => checkOut(root, 'HEAD~1')).toThrow(
    `--compare: cannot build ${commits[1]!.slice(0, 8)}: `,
  );
  expect(worktrees(root)).toBe(1);
  for (const ref of ['no-such-branch', '--help', '']) {
    expect(() => checkOut(root, ref)).toThrow(
      new CheckoutError(
        `--compare: '${ref}' is no commit of ${root}; expected a branch, a tag or a hash`,
      ),
    );
  }
});

test('a side answers in the order of the questions, and says what failed', async () => {
  const program = mkdtempSync(join(tmpdir(), 'compare-test-'));
  mkdirSync(join(program, 'compare'));
  writeFileSync(join(program, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(program, 'compare', 'side.js'),
    `let rounds = 0;
    process.on('message', ({ question, about }) => {
      if (about === 'leave') process.exit(3);
      if (question === 'prepare') process.send({ error: 'no ' + about });
      else process.send({ answer: { ms: ++rounds } });
    });`,
  );
  const side = new Side('abcd', program, false);
  expect([await side.ask('round'), await side.ask('round')]).toEqual([{ ms: 1 }, { ms: 2 }]);
  await expect(side.ask('prepare', 'gelu/1')).rejects.toThrow('abcd: prepare gelu/1: no gelu/1');
  await expect(side.ask('dispose', 'leave')).rejects.toThrow('its process ended');
  await expect(side.ask('round')).rejects.toThrow('abcd: round : its process ended');
  side.end();
});

test('ratios are those of each round, so that a slow round counts no more than others', () => {
  expect(ratioOf([1, 20, 3, 2], [2, 40, 4, 2])).toEqual({ ratio: 0.625, quartiles: [0.5, 0.875] });
  expect(ratioOf([3], [2])).toEqual({ ratio: 1.5, quartiles: [1.5, 1.5] });
});
