// Kernels run in chunks, on the calling thread and on workers that share its memory.
//
// A control block holds, by bytes:
//   0  i64  the ticket: launch number in the upper half, `bias` + chunks left in the lower
//   8  i32  chunks that are done
//  12  i32  the kernel
//  16  i32  launches, which sleeping workers wait upon
//  20  i32  workers in use; those of a higher number stay idle
//  24  i32  1: the calling thread may sleep, as a page's main thread may not
//  64  i32 × 64: whole numbers and addresses that the kernel is told; then f32 × 16
// Each chunk writes results of its own, so that they are the same bits for every number of threads.
import { runChunk } from './index';

/** Keeps failed attempts to take a chunk, which count down too, out of the ticket's upper half. */
const bias: i64 = 1 << 20;

/** Bytes of a thread's own memory. */
const perThread: usize = 4352;

/** How often an idle thread looks for work, or for the end of others', before it sleeps. */
const looks: i32 = 10000;

/** How long the calling thread sleeps before it looks again, ns. */
const pause: i64 = 100_000;

let control: usize = 0;
let scratchStart: usize = 0;
let thread: usize = 0;

/** Tells this instance where the control block is, and its thread's number. */
export function attach(block: usize, number: i32): void {
  control = block;
  thread = <usize>number;
  scratchStart = block + 512 + thread * perThread;
}

/** This thread's part of memory that is divided among threads. */
export function share(start: usize, bytes: usize): usize {
  return start + thread * bytes;
}

/** Whole number `i` that the kernel was told. */
// @ts-ignore: decorator
@inline
export function int(i: i32): i32 {
  return load<i32>(control + 64 + (<usize>i << 2));
}

/** Address `i` that the kernel was told: its whole number `i`. */
// @ts-ignore: decorator
@inline
export function address(i: i32): usize {
  return <usize>load<u32>(control + 64 + (<usize>i << 2));
}

/** Real number `i` that the kernel was told. */
// @ts-ignore: decorator
@inline
export function float(i: i32): f32 {
  return load<f32>(control + 320 + (<usize>i << 2));
}

/** Memory of this thread alone, of `perThread` bytes. */
export function scratch(): usize {
  return scratchStart;
}

/** Runs all chunks of a kernel; returns when they are done. */
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
    // The last chunks' threads may be waiting for this core.
    if (++idle > looks && load<i32>(control, 24) == 1) atomic.wait<i32>(control + 8, done, pause);
  }
}

/** Takes chunks until none is left. */
function takeChunks(): void {
  while (true) {
    if (<i32>(<u32>atomic.load<i64>(control)) <= <i32>bias) return;
    const left = <i32>(<u32>atomic.sub<i64>(control, 1)) - <i32>bias;
    if (left <= 0) return;
    // The kernel and what it was told stay until this chunk is done.
    runChunk(load<i32>(control, 12), left - 1);
    atomic.add<i32>(control, 1, 8);
  }
}

/** What a worker does, without an end: it sleeps where there is nothing to do. */
export function work(): void {
  while (true) {
    const seen = atomic.load<i32>(control, 16);
    if (<i32>thread <= load<i32>(control, 20)) takeChunks();
    let idle = 0;
    while (atomic.load<i32>(control, 16) == seen && idle < looks) idle++;
    if (idle == looks) atomic.wait<i32>(control + 16, seen, -1);
  }
}
