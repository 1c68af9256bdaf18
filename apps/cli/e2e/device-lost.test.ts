import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { lossesOf, temporaryFolder, writeConfig } from './headwise.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** An adapter was found in Node. */
    webgpu: boolean;
  }
}

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const preload = new URL('./lose-first-device.mjs', import.meta.url).href;

test.skipIf(!inject('webgpu'))(
  'training goes on from the last checkpoint on a new device when the device is lost',
  () => {
    const work = temporaryFolder();
    const config = writeConfig(work, ({ training }) => {
      Object.assign(training, { steps: 100, checkpointEvery: 5 });
    });
    const out = join(work, 'run');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', preload, program, 'train', '--config', config, '--out', out],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          HEADWISE_BACKEND: 'webgpu',
          LOSE_WHEN: join(out, 'trainer', 'state.safetensors'),
        },
      },
    );
    expect(stderr).toContain('the GPU device was lost (destroyed)');
    expect(stderr).toContain('going on from the last checkpoint on a new device');
    const [, step] = /run {8}resumes at step (\d+) of 100/.exec(stdout) ?? [];
    expect(Number(step)).toBeGreaterThan(0);
    expect(status).toBe(0);
    const losses = lossesOf(out);
    expect(losses).toHaveLength(100);
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.5);
  },
);
