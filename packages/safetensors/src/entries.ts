import { byteSize, DTYPES, type Dtype, isDtype } from './dtypes.js';
import { SafetensorsError, show } from './errors.js';
import { isObject } from './json.js';
import { checkText } from './unicode.js';

/** The header's name for free text, which no tensor may take. */
export const METADATA_KEY = '__metadata__';

/** Where a tensor lies and how to read it. */
export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte and the byte after the last, counted from the end of the header. */
  readonly offsets: readonly [begin: number, end: number];
}

/**
 * The header's free text.
 * @throws SafetensorsError when it is not an object of strings
 */
export function checkMetadata(value: unknown, file: string): Record<string, string> {
  // The reference writes no metadata as an absent entry, but reads null as the same.
  if (value === null) return {};
  if (!isObject(value)) {
    throw new SafetensorsError(file, METADATA_KEY, `is ${show(value)}, expected an object`);
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      const reason = `${show(key)} is ${show(text)}, expected a string`;
      throw new SafetensorsError(file, METADATA_KEY, reason);
    }
    checkText(key, { file, key: METADATA_KEY });
    checkText(text, { file, key: METADATA_KEY });
  }
  return value as Record<string, string>;
}

/**
 * The header's entry for one tensor.
 * @throws SafetensorsError when type, shape and offsets are not what they should be, or disagree
 */
export function checkTensor(key: string, entry: unknown, file: string): TensorInfo {
  const refuse = (reason: string) => new SafetensorsError(file, key, reason);
  checkText(key, { file, key });
  if (!isObject(entry)) throw refuse(`is ${show(entry)}, expected an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) {
    throw refuse(`dtype is ${show(dtype)}, expected one of ${DTYPES.join(' ')}`);
  }
  if (!Array.isArray(shape)) throw refuse(`shape is ${show(shape)}, expected an array of sizes`);
  const bytes = byteSize(dtype, shape, { file, key });
  if (!isOffsets(offsets)) {
    throw refuse(
      `data_offsets is ${show(offsets)}, expected two whole numbers, first byte and end`,
    );
  }
  const [begin, end] = offsets;
  if (end < begin) throw refuse(`data_offsets end at ${end}, before they begin at ${begin}`);
  if (end - begin !== bytes) {
    throw refuse(
      `data_offsets ${show(offsets)} hold ${end - begin} bytes, but shape ${show(shape)} of ${dtype} needs ${bytes}`,
    );
  }
  return { dtype, shape, offsets };
}

/**
 * Refuses tensors that do not cover the data exactly.
 * @param tensors in the order of their offsets
 * @throws SafetensorsError when they overlap, leave holes, or end before or after the file
 */
export function checkCoverage(
  tensors: readonly [string, TensorInfo][],
  dataBytes: number,
  file: string,
): void {
  let covered = 0;
  for (const [key, { offsets }] of tensors) {
    const [begin, end] = offsets;
    if (begin < covered) {
      const reason = `data begins at byte ${begin}, but the tensor before it ends at ${covered}: they overlap`;
      throw new SafetensorsError(file, key, reason);
    }
    if (begin > covered) {
      const reason = `data begins at byte ${begin}, but the data before it ends at ${covered}: a hole`;
      throw new SafetensorsError(file, key, reason);
    }
    if (end > dataBytes) {
      const reason = `data ends at byte ${end}, but the file holds ${dataBytes} bytes of data`;
      throw new SafetensorsError(file, key, reason);
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    const reason = `the tensors fill ${covered} bytes, but the file holds ${dataBytes} bytes of data`;
    throw new SafetensorsError(file, undefined, reason);
  }
}

function isOffsets(value: unknown): value is [number, number] {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((offset) => Number.isSafeInteger(offset) && offset >= 0)
  );
}
