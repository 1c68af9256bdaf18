import { byteSize, DTYPES, type Dtype, isDtype } from './dtypes.js';
import { quote, SafetensorsError, show } from './errors.js';
import { findDuplicateKey } from './json.js';

/** Bytes before the header: its length as a little-endian unsigned 64-bit number. */
export const PREFIX_BYTES = 8;

/** The longest header that the reference reads, in bytes. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The header's name for free text, which no tensor may take. */
export const METADATA_KEY = '__metadata__';

/** Where a tensor lies and how to read it. */
export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte and the byte after the last, counted from the end of the header. */
  readonly offsets: readonly [begin: number, end: number];
}

/** Everything that a file says about its tensors, checked against its size. */
export interface SafetensorsHeader {
  /** By name, in the order of the data. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The byte of the file that `offsets` count from. */
  readonly dataStart: number;
}

/** The file that a header belongs to. */
export interface HeaderSource {
  /** Named in errors. */
  name: string;
  /** Size of the whole file in bytes. */
  fileBytes: number;
}

/**
 * The length in bytes of the header that follows the first eight bytes of a file.
 * @param prefix the file's first {@link PREFIX_BYTES} bytes, or all of a shorter file
 * @throws SafetensorsError when the file is too short for a length or for the header it announces
 */
export function parseHeaderLength(prefix: Uint8Array, { name, fileBytes }: HeaderSource): number {
  if (prefix.byteLength < PREFIX_BYTES) {
    throw new SafetensorsError(
      name,
      undefined,
      `has ${prefix.byteLength} bytes, a safetensors file has at least ${PREFIX_BYTES}`,
    );
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      name,
      undefined,
      `header length is ${length} bytes, the limit is ${MAX_HEADER_BYTES}; probably no safetensors file`,
    );
  }
  const available = fileBytes - PREFIX_BYTES;
  if (length > available) {
    throw new SafetensorsError(
      name,
      undefined,
      `header length is ${length} bytes, but only ${available} follow it in the file`,
    );
  }
  return Number(length);
}

/**
 * What a header says, refused unless it describes every byte of its file exactly once.
 * @param header the bytes of the header alone, without the eight before it
 * @throws SafetensorsError naming the file, the entry, what it says and what was expected
 * @see https://huggingface.co/docs/safetensors/index#format
 */
export function parseHeader(
  header: Uint8Array,
  { name, fileBytes }: HeaderSource,
): SafetensorsHeader {
  const entries = parseObject(header, name);
  const dataStart = PREFIX_BYTES + header.byteLength;
  let metadata: Record<string, string> = {};
  const tensors: [string, TensorInfo][] = [];
  for (const [key, entry] of entries) {
    if (key === METADATA_KEY) metadata = checkMetadata(entry, name);
    else tensors.push([key, checkTensor(key, entry, name)]);
  }
  tensors.sort(([, a], [, b]) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1]);
  checkCoverage(tensors, fileBytes - dataStart, name);
  return { tensors: new Map(tensors), metadata, dataStart };
}

function parseObject(header: Uint8Array, file: string): [string, unknown][] {
  let json: string;
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch (cause) {
    throw new SafetensorsError(file, undefined, 'header is not UTF-8', { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    const reason = `header is not JSON: ${show((cause as SyntaxError).message)}`;
    throw new SafetensorsError(file, undefined, reason, { cause });
  }
  if (!isObject(value)) {
    throw new SafetensorsError(file, undefined, `header is ${show(value)}, expected an object`);
  }
  const duplicate = findDuplicateKey(json);
  if (duplicate !== undefined) {
    throw new SafetensorsError(file, duplicate, 'stands twice in the header, expected once');
  }
  return Object.entries(value);
}

function checkMetadata(value: unknown, file: string): Record<string, string> {
  // The reference writes no metadata as an absent entry, but reads null as the same.
  if (value === null) return {};
  if (!isObject(value)) {
    throw new SafetensorsError(file, METADATA_KEY, `is ${show(value)}, expected an object`);
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      const reason = `${quote(key)} is ${show(text)}, expected a string`;
      throw new SafetensorsError(file, METADATA_KEY, reason);
    }
  }
  return value as Record<string, string>;
}

function checkTensor(key: string, entry: unknown, file: string): TensorInfo {
  const refuse = (reason: string) => new SafetensorsError(file, key, reason);
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

/** Refuses tensors, sorted by offset, that overlap, leave holes, or do not end with the file. */
function checkCoverage(
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOffsets(value: unknown): value is [number, number] {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((offset) => Number.isSafeInteger(offset) && offset >= 0)
  );
}
