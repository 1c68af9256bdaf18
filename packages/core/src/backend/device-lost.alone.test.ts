import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

// A process of its own: a lost device would take the other tests' with it.
const program = `
  import * as tf from '@tensorflow/tfjs';
  import { currentDevice, DeviceLostError, readTensor } from '@headwise/core';
  import { startBackend } from '@headwise/core/internal';
  try { await startBackend({ prefer: 'webgpu' }); } catch (e) { console.log('NONE ' + e.message); process.exit(0); }
  const lost = tf.add(tf.randomNormal([1000]), 1);
  const pending = readTensor(lost);
  currentDevice().gpu.destroy();
  const errors = [];
  for (const read of [pending, readTensor(lost)]) await read.catch((e) => errors.push(e));
  console.log(errors.every((e) => e instanceof DeviceLostError), errors[0].reason);
  const all = async (...uses) => {
    const told = [];
    for (const use of uses) {
      try { await use(); told.push('nothing'); } catch (e) { told.push(e instanceof DeviceLostError ? 'lost' : String(e)); }
    }
    console.log(told.join());
  };
  const uses = [() => lost.data(), () => lost.dataSync(), () => lost.clone().array(), () => lost.square().data(), () => tf.add(lost, 1)];
  await all(...uses);
  // On a busy machine the loss is told of long after what it aborted.
  const { requestAdapter } = navigator.gpu;
  navigator.gpu.requestAdapter = async (options) => {
    const adapter = await requestAdapter.call(navigator.gpu, options);
    const { requestDevice } = adapter;
    adapter.requestDevice = async (wanted) => {
      const device = await requestDevice.call(adapter, wanted);
      const lost = device.lost.then(async (info) => {
        await new Promise((done) => setTimeout(done, 500));
        return info;
      });
      return Object.defineProperty(device, 'lost', { value: lost });
    };
    return adapter;
  };
  const report = await startBackend({ prefer: 'webgpu' });
  console.log(report.backend, [...await readTensor(tf.add([1, 2], [3, 4]))].join());
  await all(...uses, () => tf.variable(lost).sum(), () => tf.variable(tf.ones([1000])).assign(lost).add(1));
  lost.dispose();
  console.log([...await readTensor(tf.square([3]))].join());
  const live = tf.square([1, 2]);
  await tf.setBackend('cpu');
  try { live.add(1); } catch (e) { console.log(e.name); }
  await tf.setBackend('webgpu');
  const late = readTensor(tf.add(tf.randomNormal([1000]), 1));
  currentDevice().gpu.destroy();
  await late.catch((e) => console.log(e.message));
`;

test('tensors of a lost device throw wherever they are used, and a new device can be started', (context) => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=default', '--input-type=module', '--eval', program],
    { encoding: 'utf8', cwd: new URL('../..', import.meta.url).pathname },
  );
  if (stdout.startsWith('NONE')) {
    if (process.env.CI) throw new Error(stdout);
    console.warn(`skipped: ${stdout}`);
    context.skip(stdout);
  }
  expect(`${stdout}${stderr.replace(/^Warning: max.*\n/gm, '')}`).toBe(
    [
      'true destroyed',
      'lost,lost,lost,lost,lost',
      'webgpu 4,6',
      'lost,lost,lost,lost,lost,lost,lost',
      '9',
      'InputError',
      'the GPU device was lost (destroyed): device was destroyed; what lay on it is gone: start the backend and load the model again',
      '',
    ].join('\n'),
  );
});
