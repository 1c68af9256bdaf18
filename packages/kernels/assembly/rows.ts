// Norms, cross-entropy and softmax of rows.
import { exp, largest as largestOf, log, sum } from './math';
import { address, float, int } from './threads';

/** Rows of a chunk. */
const rowsOfChunk: i32 = 8;

/** The score of a masked pair: its `exp`, relative to any visible score, is 0. */
const lowest: f32 = -3.4028234e38;

// @ts-ignore: decorator
@inline
function wholeOf(width: i32): usize {
  return <usize>(width & ~3) << 2;
}

/**
 * Kernel: a norm of rows: 0 x, 1 values added to it or 0, 2 weight, 3 bias or 0, 4 y, 5 the sum or 0, 6 statistics, 7 rows, 8 width;
 * 9: 1 for the root mean square, with one statistic a row instead of two. Float 0: ε.
 */
export function norm(chunk: i32): void {
  const first = chunk * rowsOfChunk, last = min(first + rowsOfChunk, int(7));
  const width = int(8), rms = int(9) == 1;
  const row = <usize>width << 2, whole = wholeOf(width);
  const weight = address(2), bias = address(3);
  for (let r = first; r < last; r++) {
    const at = <usize>r * row;
    let x = address(0) + at;
    if (address(1) != 0) {
      addRow(address(5) + at, x, address(1) + at, row);
      x = address(5) + at;
    }
    // Values are taken relative to the row's first one, so that a large offset costs no digits.
    const shift: f32 = rms ? 0 : load<f32>(x);
    const mean: f32 = rms ? 0 : sumBeside(x, shift, row) / <f32>width;
    const scale: f32 = 1 / sqrt<f32>(squaresBeside(x, shift, mean, row) / <f32>width + float(0));
    const y = address(4) + at;
    const s = f32x4.splat(shift), m = f32x4.splat(mean), f = f32x4.splat(scale);
    let o: usize = 0;
    for (; o < whole; o += 16) {
      let v = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x + o), s), m), f);
      v = f32x4.mul(v, v128.load(weight + o));
      if (bias != 0) v = f32x4.add(v, v128.load(bias + o));
      v128.store(y + o, v);
    }
    for (; o < row; o += 4) {
      let v = (load<f32>(x + o) - shift - mean) * scale * load<f32>(weight + o);
      if (bias != 0) v += load<f32>(bias + o);
      store<f32>(y + o, v);
    }
    const stats = address(6) + (<usize>r << (rms ? 2 : 3));
    if (!rms) store<f32>(stats, mean);
    store<f32>(stats + (rms ? 0 : 4), scale);
  }
}

function addRow(to: usize, x: usize, y: usize, row: usize): void {
  let o: usize = 0;
  for (; o + 16 <= row; o += 16) v128.store(to + o, f32x4.add(v128.load(x + o), v128.load(y + o)));
  for (; o < row; o += 4) store<f32>(to + o, load<f32>(x + o) + load<f32>(y + o));
}

function sumBeside(x: usize, shift: f32, row: usize): f32 {
  const s = f32x4.splat(shift);
  let a = f32x4.splat(0), b = a;
  let o: usize = 0;
  for (; o + 32 <= row; o += 32) {
    a = f32x4.add(a, f32x4.sub(v128.load(x + o), s));
    b = f32x4.add(b, f32x4.sub(v128.load(x + o, 16), s));
  }
  let total = sum(f32x4.add(a, b));
  for (; o < row; o += 4) total += load<f32>(x + o) - shift;
  return total;
}

function squaresBeside(x: usize, shift: f32, mean: f32, row: usize): f32 {
  const s = f32x4.splat(shift), m = f32x4.splat(mean);
  let a = f32x4.splat(0), b = a;
  let o: usize = 0;
  for (; o + 32 <= row; o += 32) {
    const v = f32x4.sub(f32x4.sub(v128.load(x + o), s), m);
    const w = f32x4.sub(f32x4.sub(v128.load(x + o, 16), s), m);
    a = f32x4.add(a, f32x4.mul(v, v));
    b = f32x4.add(b, f32x4.mul(w, w));
  }
  let total = sum(f32x4.add(a, b));
  for (; o < row; o += 4) {
    const v = load<f32>(x + o) - shift - mean;
    total += v * v;
  }
  return total;
}

/**
 * Kernel: the gradient of a norm's input, `(g − mean(g) − x̂ · mean(g · x̂)) / σ` with `g = dy · weight`, plus the gradient of the stream beside it:
 * 0 dy, 1 x, 2 weight, 3 statistics, 4 the stream's gradient or 0, 5 dx, 7 rows, 8 width, 9: 1 for the root mean square, without `mean(g)`.
 */
export function normGradient(chunk: i32): void {
  const first = chunk * rowsOfChunk, last = min(first + rowsOfChunk, int(7));
  const width = int(8), rms = int(9) == 1;
  const row = <usize>width << 2, whole = wholeOf(width);
  const weight = address(2);
  for (let r = first; r < last; r++) {
    const at = <usize>r * row;
    const dy = address(0) + at, x = address(1) + at, to = address(5) + at;
    const past = address(4) == 0 ? 0 : address(4) + at;
    const stats = address(3) + (<usize>r << (rms ? 2 : 3));
    const origin: f32 = rms ? 0 : load<f32>(x), mean: f32 = rms ? 0 : load<f32>(stats);
    const scale = load<f32>(stats + (rms ? 0 : 4));
    const s = f32x4.splat(origin), m = f32x4.splat(mean), f = f32x4.splat(scale);
    let g = f32x4.splat(0), gx = g;
    let o: usize = 0;
    for (; o < whole; o += 16) {
      const d = f32x4.mul(v128.load(dy + o), v128.load(weight + o));
      const v = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x + o), s), m), f);
      g = f32x4.add(g, d);
      gx = f32x4.add(gx, f32x4.mul(d, v));
    }
    let sumG = sum(g), sumGx = sum(gx);
    for (; o < row; o += 4) {
      const d = load<f32>(dy + o) * load<f32>(weight + o);
      sumG += d;
      sumGx += d * ((load<f32>(x + o) - origin - mean) * scale);
    }
    const meanG: f32 = rms ? 0 : sumG / <f32>width, meanGx = sumGx / <f32>width;
    const mg = f32x4.splat(meanG), mgx = f32x4.splat(meanGx);
    for (o = 0; o < whole; o += 16) {
      const d = f32x4.mul(v128.load(dy + o), v128.load(weight + o));
      const v = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x + o), s), m), f);
      let dx = f32x4.mul(f, f32x4.sub(f32x4.sub(d, mg), f32x4.mul(v, mgx)));
      if (past != 0) dx = f32x4.add(dx, v128.load(past + o));
      v128.store(to + o, dx);
    }
    for (; o < row; o += 4) {
      const d = load<f32>(dy + o) * load<f32>(weight + o);
      const v = (load<f32>(x + o) - origin - mean) * scale;
      let dx = scale * (d - meanG - v * meanGx);
      if (past != 0) dx += load<f32>(past + o);
      store<f32>(to + o, dx);
    }
  }
}

/** Kernel: the gradients of a norm's weight, to 2, and bias, to 5 or 0; other arguments as for `normGradient`. A chunk is 4 columns. */
export function normWeights(chunk: i32): void {
  const rows = int(7), width = int(8), rms = int(9) == 1;
  const row = <usize>width << 2, first = <usize>chunk << 4;
  const count = min(4, width - (chunk << 2));
  let dy = address(0) + first, x = address(1), stats = address(3);
  let ofWeight = f32x4.splat(0), ofBias = ofWeight;
  for (let r = 0; r < rows; r++) {
    const origin: f32 = rms ? 0 : load<f32>(x), mean: f32 = rms ? 0 : load<f32>(stats);
    const scale = load<f32>(stats + (rms ? 0 : 4));
    const d = loadPart(dy, count);
    const v = f32x4.sub(f32x4.sub(loadPart(x + first, count), f32x4.splat(origin)), f32x4.splat(mean));
    ofWeight = f32x4.add(ofWeight, f32x4.mul(d, f32x4.mul(v, f32x4.splat(scale))));
    ofBias = f32x4.add(ofBias, d);
    dy += row;
    x += row;
    stats += rms ? 4 : 8;
  }
  storePart(address(2) + first, ofWeight, count);
  if (address(5) != 0) storePart(address(5) + first, ofBias, count);
}

/** Loads up to four numbers, and reads nothing behind them. */
function loadPart(at: usize, count: i32): v128 {
  if (count == 4) return v128.load(at);
  let x = f32x4.splat(load<f32>(at));
  if (count > 1) x = f32x4.replace_lane(x, 1, load<f32>(at, 4));
  if (count > 2) x = f32x4.replace_lane(x, 2, load<f32>(at, 8));
  return x;
}

function storePart(at: usize, x: v128, count: i32): void {
  if (count == 4) {
    v128.store(at, x);
    return;
  }
  store<f32>(at, f32x4.extract_lane(x, 0));
  if (count > 1) store<f32>(at, f32x4.extract_lane(x, 1), 4);
  if (count > 2) store<f32>(at, f32x4.extract_lane(x, 2), 8);
}

/** The largest number of a row; NaN where one is. */
function peakOf(x: usize, row: usize): f32 {
  let peaks = f32x4.splat(lowest);
  let o: usize = 0;
  for (; o + 16 <= row; o += 16) peaks = f32x4.max(peaks, v128.load(x + o));
  let peak = largestOf(peaks);
  for (; o < row; o += 4) peak = max(peak, load<f32>(x + o));
  return peak;
}

// @ts-ignore: decorator
@inline
function expOf(x: f32): f32 {
  return f32x4.extract_lane(exp(f32x4.splat(x)), 0);
}

/**
 * Kernel: cross-entropy of rows: 0 logits, 1 labels, 2 losses, 3 statistics: the largest and `log Σ exp(x − largest)`, 7 rows, 8 width,
 * 9 the ignored label. Float 0: smoothing, 1: the weight of z².
 */
export function crossEntropy(chunk: i32): void {
  const first = chunk * rowsOfChunk, last = min(first + rowsOfChunk, int(7));
  const width = int(8);
  const row = <usize>width << 2, whole = wholeOf(width);
  for (let r = first; r < last; r++) {
    const x = address(0) + <usize>r * row;
    const label = load<i32>(address(1) + (<usize>r << 2));
    const known = label >= 0 && label < width;
    const peak = peakOf(x, row), own = load<f32>(x + (known ? <usize>label << 2 : 0));
    const p = f32x4.splat(peak), s = f32x4.splat(own);
    let sums = f32x4.splat(0), offsets = sums;
    let o: usize = 0;
    for (; o < whole; o += 16) {
      const v = v128.load(x + o);
      sums = f32x4.add(sums, exp(f32x4.sub(v, p)));
      offsets = f32x4.add(offsets, f32x4.sub(v, s));
    }
    let total = sum(sums), offset = sum(offsets);
    for (; o < row; o += 4) {
      total += expOf(load<f32>(x + o) - peak);
      offset += load<f32>(x + o) - own;
    }
    const logSum = f32x4.extract_lane(log(f32x4.splat(total)), 0);
    const stats = address(3) + (<usize>r << 3);
    store<f32>(stats, peak);
    store<f32>(stats, logSum, 4);
    const z = peak + logSum;
    let loss = logSum + (peak - own) + float(1) * z * z;
    if (float(0) > 0) loss -= (float(0) * offset) / <f32>width;
    store<f32>(address(2) + (<usize>r << 2), label == int(9) ? 0 : known ? loss : NaN);
  }
}

/** Kernel: the gradient of cross-entropy: 0 logits, 1 labels, 2 dy, 3 statistics, 4 the gradient, which may overwrite the logits. */
export function crossEntropyGradient(chunk: i32): void {
  const first = chunk * rowsOfChunk, last = min(first + rowsOfChunk, int(7));
  const width = int(8);
  const row = <usize>width << 2, whole = wholeOf(width);
  for (let r = first; r < last; r++) {
    const x = address(0) + <usize>r * row, to = address(4) + <usize>r * row;
    const label = load<i32>(address(1) + (<usize>r << 2));
    const d: f32 = label == int(9) ? 0 : load<f32>(address(2) + (<usize>r << 2));
    const stats = address(3) + (<usize>r << 3);
    const peak = load<f32>(stats), logSum = load<f32>(stats, 4);
    const scale = d * (1 + 2 * float(1) * (peak + logSum)), even = (d * float(0)) / <f32>width;
    const p = f32x4.splat(peak), l = f32x4.splat(logSum), f = f32x4.splat(scale), e = f32x4.splat(even);
    let o: usize = 0;
    for (; o < whole; o += 16) {
      const share = exp(f32x4.sub(f32x4.sub(v128.load(x + o), p), l));
      v128.store(to + o, f32x4.sub(f32x4.mul(f, share), e));
    }
    for (; o < row; o += 4) store<f32>(to + o, scale * expOf(load<f32>(x + o) - peak - logSum) - even);
    if (label >= 0 && label < width) {
      const at = to + (<usize>label << 2);
      store<f32>(at, load<f32>(at) - d * (1 - float(0)));
    }
  }
}

/** Kernel: softmax of rows, 0 x, 1 y, 7 rows, 8 width. */
export function softmax(chunk: i32): void {
  const first = chunk * rowsOfChunk, last = min(first + rowsOfChunk, int(7));
  const row = <usize>int(8) << 2, whole = wholeOf(int(8));
  for (let r = first; r < last; r++) {
    const x = address(0) + <usize>r * row, y = address(1) + <usize>r * row;
    const peak = peakOf(x, row), p = f32x4.splat(peak);
    let sums = f32x4.splat(0);
    let o: usize = 0;
    for (; o < whole; o += 16) {
      const e = exp(f32x4.sub(v128.load(x + o), p));
      sums = f32x4.add(sums, e);
      v128.store(y + o, e);
    }
    let total = sum(sums);
    for (; o < row; o += 4) {
      const e = expOf(load<f32>(x + o) - peak);
      total += e;
      store<f32>(y + o, e);
    }
    const factor = f32x4.splat(1 / total);
    for (o = 0; o < whole; o += 16) v128.store(y + o, f32x4.mul(v128.load(y + o), factor));
    for (; o < row; o += 4) store<f32>(y + o, load<f32>(y + o) / total);
  }
}

/** Kernel: the gradient of softmax, `y · (dy − Σ y dy)`, 0 dy, 1 y, 2 dx, 7 rows, 8 width. */
export function softmaxGradient(chunk: i32): void {
  const first = chunk * rowsOfChunk, last = min(first + rowsOfChunk, int(7));
  const row = <usize>int(8) << 2;
  for (let r = first; r < last; r++) {
    const at = <usize>r * row;
    const dy = address(0) + at, y = address(1) + at, dx = address(2) + at;
    let products = f32x4.splat(0);
    let o: usize = 0;
    for (; o + 16 <= row; o += 16) products = f32x4.add(products, f32x4.mul(v128.load(y + o), v128.load(dy + o)));
    let total = sum(products);
    for (; o < row; o += 4) total += load<f32>(y + o) * load<f32>(dy + o);
    const t = f32x4.splat(total);
    for (o = 0; o + 16 <= row; o += 16) {
      v128.store(dx + o, f32x4.mul(v128.load(y + o), f32x4.sub(v128.load(dy + o), t)));
    }
    for (; o < row; o += 4) store<f32>(dx + o, load<f32>(y + o) * (load<f32>(dy + o) - total));
  }
}
