import { createHash } from 'node:crypto';

/**
 * What a job on a cluster tells the one who submitted it, in lines of its log, between the lines of the command that it runs.
 *
 * The log is the one way back that every cluster has: it reaches the client over Ray's API, wherever the job runs.
 */
export type JobRecord =
  /** Where the job's files are there, for messages. */
  | { type: 'begin'; out: string | null; inputs: string; node: string }
  /** The job does not run: the cluster has other versions. */
  | { type: 'refused'; problem: string }
  /** A file follows in lines of `data`, or has the bytes that another had at the last `commit`. */
  | { type: 'file'; name: string; sha256: string; from?: string }
  /** The folder has these files now; `whole`: and no others, all of one moment. */
  | { type: 'commit'; names: string[]; whole: boolean }
  /** The command has ended: with a code, or by a signal. */
  | { type: 'end'; code: number | null; signal: string | null };

const mark = '@headwise ';
const dataMark = '@headwise+';
/** Bytes of a line of data: with their mark less than the 20,000 characters that Ray sends at once. */
const lineBytes = 12_000;

export const recordLine = (record: JobRecord): string => `${mark}${JSON.stringify(record)}\n`;

/** The lines of a file's content. */
export function* dataLines(bytes: Uint8Array): Generator<string> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < buffer.length; at += lineBytes) {
    yield `${dataMark}${buffer.toString('base64', at, Math.min(at + lineBytes, buffer.length))}\n`;
  }
}

/** What a line of a log is: a record, a part of a file, or a line of the command. */
export function parseLine(line: string): JobRecord | { data: Buffer } | { text: string } {
  if (line.startsWith(dataMark)) {
    return { data: Buffer.from(line.slice(dataMark.length), 'base64') };
  }
  if (!line.startsWith(mark)) return { text: line };
  try {
    return JSON.parse(line.slice(mark.length)) as JobRecord;
  } catch {
    return { text: line };
  }
}

export const sha256 = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');
