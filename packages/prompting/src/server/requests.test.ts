import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Requests } from './requests.js';

/** When each request began, by a clock that stands still but for timers. */
const starts: number[] = [];
const answers: Response[] = [];

beforeEach(() => {
  starts.length = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'], now: 0 });
  vi.stubGlobal('fetch', async () => {
    starts.push(performance.now());
    return answers.shift() ?? Response.json({});
  });
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const refused = (headers = {}) => Response.json({}, { status: 429, headers });
const url = 'http://127.0.0.1/v1';

test('waits double, up to the longest, and are as long as the server asks', async () => {
  const after = new Date(20_000).toUTCString();
  answers.push(
    refused(),
    refused(),
    refused(),
    refused({ 'retry-after': '5' }),
    refused({ 'retry-after': after }),
  );
  const requests = new Requests({ url, wait: 1000, longestWait: 7000 });
  const answered = requests.post('/x', {});
  await vi.runAllTimersAsync();
  expect(await answered).toEqual({});
  // 1, 2 and 4 s; then 7 s, the longest, which the 5 s that were asked for are within; then 7 s, which the 6 s left until the date are within.
  expect(starts).toEqual([0, 1000, 3000, 7000, 14_000, 21_000]);
  answers.push(refused());
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const sooner = new Requests({ url, wait: 1000 }).post('/x', {});
  await vi.runAllTimersAsync();
  await sooner;
  // At random by up to a half less.
  expect(starts.at(-1)! - starts.at(-2)!).toBe(500);
});

test('no more requests are begun in a minute than allowed', async () => {
  const requests = new Requests({ url, requestsPerMinute: 30 });
  const all = Promise.all([1, 2, 3].map((n) => requests.post('/x', { n })));
  await vi.runAllTimersAsync();
  await all;
  expect(starts).toEqual([0, 2000, 4000]);
});
