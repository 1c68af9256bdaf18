/** A picture of bytes, row-major with the channels last. */
export interface Bytes {
  readonly data: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** What a pixel is made of: how far a filter reaches, in pixels of the smaller picture, and its weight at a distance. */
interface Filter {
  readonly reach: number;
  weight(distance: number): number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Catmull and Rom's cubic, a = −½. */
function cubic(distance: number): number {
  const [x, a] = [Math.abs(distance), -0.5];
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** By the numbers that Pillow gives them. */
const filters: Readonly<Record<number, Filter>> = {
  1: { reach: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
  2: { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  3: { reach: 2, weight: cubic },
  4: { reach: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  5: {
    reach: 1,
    weight: (x) => (Math.abs(x) < 1 ? sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x)) : 0),
  },
};

/** The numbers of the filters: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming. */
export const resampleNames: Readonly<Record<number, string>> = {
  ...{ 0: 'nearest', 1: 'lanczos', 2: 'bilinear' },
  ...{ 3: 'bicubic', 4: 'box', 5: 'hamming' },
};

/** Bits behind the point of a weight. */
const bits = 22;

/** Where the pixels of one axis come from: the first of each, and its weights. */
interface Taps {
  readonly first: Int32Array;
  readonly weights: readonly Int32Array[];
}

/** The weights of an axis, in whole parts of 2⁻²², as Pillow computes them for bytes. */
function tapsOf(from: number, to: number, { reach, weight }: Filter): Taps {
  const scale = from / to;
  // A smaller picture takes the mean of what each of its pixels covers.
  const stretch = Math.max(scale, 1);
  const first = new Int32Array(to);
  const weights = Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach * stretch + 0.5));
    const high = Math.min(from, Math.trunc(centre + reach * stretch + 0.5));
    first[i] = low;
    const all = Array.from({ length: high - low }, (_, j) =>
      weight((j + low - centre + 0.5) / stretch),
    );
    const sum = all.reduce((total, one) => total + one, 0);
    return Int32Array.from(all, (one) => {
      const scaled = (one / sum) * 2 ** bits;
      return Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    });
  });
  return { first, weights };
}

const byte = (sum: number) => Math.min(255, Math.max(0, Math.floor(sum / 2 ** bits)));

/**
 * A picture in another size, as Pillow's `resize` makes it of bytes: the width first, or the height where it alone shrinks, each rounded
 * to bytes. Pillow 13 takes the height first too where both shrink and it shrinks much more: values then differ by some bytes.
 *
 * @param resample the number of the filter
 */
export function resized(
  picture: Bytes,
  [height, width]: readonly [number, number],
  resample: number,
): Bytes {
  if (picture.height === height && picture.width === width) return picture;
  const filter = filters[resample];
  if (!filter) return nearest(picture, [height, width]);
  const wide = (from: Bytes) => (from.width === width ? from : widened(from, width, filter));
  const high = (from: Bytes) => (from.height === height ? from : heightened(from, height, filter));
  const heightFirst = height < picture.height && width > picture.width;
  return heightFirst ? wide(high(picture)) : high(wide(picture));
}

function widened({ data, height, width, channels }: Bytes, to: number, filter: Filter): Bytes {
  const { first, weights } = tapsOf(width, to, filter);
  const made = new Uint8Array(height * to * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < to; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 2 ** (bits - 1);
        const of = weights[x]!;
        const from = (y * width + first[x]!) * channels + c;
        for (let j = 0; j < of.length; j++) sum += data[from + j * channels]! * of[j]!;
        made[(y * to + x) * channels + c] = byte(sum);
      }
    }
  }
  return { data: made, height, width: to, channels };
}

function heightened({ data, height, width, channels }: Bytes, to: number, filter: Filter): Bytes {
  const { first, weights } = tapsOf(height, to, filter);
  const row = width * channels;
  const made = new Uint8Array(to * row);
  for (let y = 0; y < to; y++) {
    const of = weights[y]!;
    for (let i = 0; i < row; i++) {
      let sum = 2 ** (bits - 1);
      for (let j = 0; j < of.length; j++) sum += data[(first[y]! + j) * row + i]! * of[j]!;
      made[y * row + i] = byte(sum);
    }
  }
  return { data: made, height: to, width, channels };
}

function nearest({ data, height, width, channels }: Bytes, to: readonly [number, number]): Bytes {
  const [rows, columns] = to;
  const made = new Uint8Array(rows * columns * channels);
  for (let y = 0; y < rows; y++) {
    const from = Math.min(height - 1, Math.trunc(((y + 0.5) * height) / rows));
    for (let x = 0; x < columns; x++) {
      const at = Math.min(width - 1, Math.trunc(((x + 0.5) * width) / columns));
      for (let c = 0; c < channels; c++) {
        made[(y * columns + x) * channels + c] = data[(from * width + at) * channels + c]!;
      }
    }
  }
  return { data: made, height: rows, width: columns, channels };
}
