import { asBytes, type Bytes } from './bytes.js';
import {
  checkCoverage,
  checkMetadata,
  checkTensor,
  METADATA_KEY,
  type TensorInfo,
} from './entries.js';
import { SafetensorsError } from './errors.js';
import { parseJsonObject } from './json.js';

/** Bytes before the header: its length as a little-endian unsigned 64-bit number. */
export const PREFIX_BYTES = 8;

/** The longest header that the reference reads, in bytes. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The header of a file, checked against the file's size. */
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
 * @param start the file's first {@link PREFIX_BYTES} bytes, or all of a shorter file
 * @throws SafetensorsError when the file is too short for a length or for the header it announces
 */
export function parseHeaderLength(start: Bytes, { name, fileBytes }: HeaderSource): number {
  const prefix = asBytes(start, name);
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
 * Parses a header; throws unless it describes every byte of its file exactly once.
 * @param json the bytes of the header alone, without the eight before it
 * @throws SafetensorsError naming the file, the entry, what it says and what was expected
 * @see https://huggingface.co/docs/safetensors/index#format
 */
export function parseHeader(json: Bytes, { name, fileBytes }: HeaderSource): SafetensorsHeader {
  const header = asBytes(json, name);
  const entries = parseJsonObject(header, { file: name, what: 'header' });
  const dataStart = PREFIX_BYTES + header.byteLength;
  let metadata: Record<string, string> = {};
  const tensors: [string, TensorInfo][] = [];
  for (const [key, entry] of Object.entries(entries)) {
    if (key === METADATA_KEY) metadata = checkMetadata(entry, name);
    else tensors.push([key, checkTensor(key, entry, name)]);
  }
  tensors.sort(([, a], [, b]) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1]);
  checkCoverage(tensors, fileBytes - dataStart, name);
  return { tensors: new Map(tensors), metadata, dataStart };
}
