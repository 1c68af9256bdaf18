// Kernels run in chunks, on the calling thread and on workers that share its memory.
//
// A control block holds, by bytes:
//   0  i64  the ticket: the launch's number in the upper half, `bias` + chunks left in the lower
//   8  i32  finished chunks
//  12  i32  the number of the running kernel
//  16  i32  count of launches; sleeping workers wait for it to change
//  20  i32  number of workers in use; workers with a higher number stay idle
//  24  i32  1 if the calling thread may sleep; the main thread of a page may not
//  64  i32 × 64, then f32 × 16: the arguments of the running kernel, integers (sizes, addresses, choices) and floats
// No two chunks write the same value, so results are the same bits for every number of threads.
import { runChunk } from './index';

/** Offset of the chunks left in a ticket: threads that find no chunk decrement it too, and must not borrow from the launch's number. */
const bias: i64 = 1 << 20;

/** Bytes of each thread's scratch memory. */
const perThread: usize = 4352;

/** How often a waiting thread polls before it sleeps. */
const looks: i32 = 10000;

/** How long the calling thread sleeps between polls, ns. */
const pause: i64 = 100_000;

let control: usize = 0;
let scratchStart: usize = 0;
let thread: usize = 0;

/** Sets the address of the control block and the number of this instance's thread. */
export function attach(block: usize, number: i32): void {
  control = block;
  thread = <usize>number;
  scratchStart = block + 512 + thread * perThread;
}

/** The start of this thread's part of memory in which each thread has `bytes`. */
export function share(start: usize, bytes: usize): usize {
  return start + thread * bytes;
}

/** Integer argument `i` of the running kernel. */
// @ts-ignore: decorator
@inline
export function int(i: i32): i32 {
  return load<i32>(control + 64 + (<usize>i << 2));
}

/** Integer argument `i`, as an address. */
// @ts-ignore: decorator
@inline
export function address(i: i32): usize {
  return <usize>load<u32>(control + 64 + (<usize>i << 2));
}

/** Float argument `i` of the running kernel. */
// @ts-ignore: decorator
@inline
export function float(i: i32): f32 {
  return load<f32>(control + 320 + (<usize>i << 2));
}

/** This thread's scratch memory, `perThread` bytes. */
export function scratch(): usize {
  return scratchStart;
}

/** Runs all chunks of a kernel on the threads in use, and returns when all are finished. */
export function launch(kernel: i32, chunks: i32): void {
  if (chunks < 2 || load<i32>(control, 20) == 0) {
    for (let chunk = 0; chunk < chunks; chunk++) runChunk(kernel, chunk);
    return;
  }
  store<i32>(control, kernel, 12);
  atomic.store<i32>(control, 0, 8);
  const number = (atomic.load<i64>(control) >> 32) + 1;
  atomic.store<i64>(control, (number << 32) | (bias + <i64>chunks));
  atomic.add<i32>(control, 1, 16);
  atomic.notify(control + 16, -1);
  takeChunks();
  let idle = 0;
  while (true) {
    const done = atomic.load<i32>(control, 8);
    if (done == chunks) return;
    // The threads that run the last chunks may need this core.
    if (++idle > looks && load<i32>(control, 24) == 1) atomic.wait<i32>(control + 8, done, pause);
  }
}

/** Takes chunks until none is left. */
function takeChunks(): void {
  while (true) {
    if (<i32>(<u32>atomic.load<i64>(control)) <= <i32>bias) return;
    const left = <i32>(<u32>atomic.sub<i64>(control, 1)) - <i32>bias;
    if (left <= 0) return;
    // The kernel's number and arguments do not change before this chunk is finished.
    runChunk(load<i32>(control, 12), left - 1);
    atomic.add<i32>(control, 1, 8);
  }
}

/** The endless loop of a worker: takes chunks of each launch, and sleeps between launches. */
export function work(): void {
  while (true) {
    const seen = atomic.load<i32>(control, 16);
    if (<i32>thread <= load<i32>(control, 20)) takeChunks();
    let idle = 0;
    while (atomic.load<i32>(control, 16) == seen && idle < looks) idle++;
    if (idle == looks) atomic.wait<i32>(control + 16, seen, -1);
  }
}
