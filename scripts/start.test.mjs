import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

test('what stands behind `npm start --` reaches the main job as it was given, and nothing else does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headwise-start-'));
  try {
    const write = (path, text) => {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    write('package.json', JSON.stringify({ name: 'start', scripts: { start: scripts.start } }));
    // npx takes what is installed here in the version that is asked for, without a registry.
    for (const [, name, version] of scripts.start.matchAll(/-p (\w+)@([\d.]+)/g)) {
      write(`node_modules/${name}/package.json`, JSON.stringify({ name, version }));
    }
    // As in a shell of its own: what npm tells its scripts, this test among them, would be options of the npm below.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)),
    );
    const told = 'console.log(JSON.stringify(process.argv.slice(2)));';
    for (const name of ['setup', 'start']) write(`scripts/${name}.mjs`, told);
    const start = (...args) => {
      const { status, stdout, stderr } = spawnSync(
        'npm',
        ['--silent', '--offline', 'start', ...args],
        {
          cwd: folder,
          env,
          encoding: 'utf8',
          shell: process.platform === 'win32',
        },
      );
      assert.equal(status, 0, stderr);
      return stdout.trim().split('\n').slice(-2).map(JSON.parse);
    };
    assert.deepEqual(start(), [[], []]);
    const given = ['--set', 'training.steps=3', '--json', '--set', 'samples.prompt=Call me'];
    assert.deepEqual(start('--', ...given), [[], given]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
