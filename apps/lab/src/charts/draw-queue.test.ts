import { expect, test } from 'vitest';
import { DrawQueue } from './draw-queue.js';

test('one chart is drawn a frame, each once, and a frame is requested only while one waits', () => {
  const frames: (() => void)[] = [];
  const drawn: string[] = [];
  const queue = new DrawQueue((draw) => frames.push(draw));
  const charts = ['a', 'b', 'c'].map((name) => ({ name }));
  for (let report = 0; report < 10; report++) {
    for (const chart of charts) queue.add(chart, () => drawn.push(`${chart.name}${report}`));
  }
  expect([frames.length, drawn]).toEqual([1, []]);
  frames.shift()!();
  expect([frames.length, drawn]).toEqual([1, ['a9']]);
  // A chart that is closed is not drawn, and one that fails does not keep the others waiting.
  queue.remove(charts[1]!);
  queue.add(charts[0]!, () => {
    throw new Error('no canvas');
  });
  frames.shift()!();
  expect(drawn).toEqual(['a9', 'c9']);
  expect(() => frames.shift()!()).toThrow('no canvas');
  expect(frames).toEqual([]);
});
