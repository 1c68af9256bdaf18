import { openFile, writeFile } from '@headwise/files';
import type { KeyRun, StoredRun } from '../../dedup/key-run.js';

/** What is known of a unit when its keys are: how many documents it has, and how many items have keys. */
export interface UnitCounts {
  readonly documents: number;
  /** Documents, or lines or paragraphs, whichever are compared. */
  readonly items: number;
}

const headerBytes = 16;

/** Writes a run: four counts, the records, the pairs; all of 32 bits, in the order of bytes of this machine. */
export async function writeKeyFile(path: string, run: KeyRun, counts: UnitCounts): Promise<void> {
  const { records, pairs } = run;
  const header = Uint32Array.of(
    counts.documents,
    counts.items,
    records.length / 5,
    pairs.length / 2,
  );
  await writeFile(path, streamOf([header, records, pairs].map(bytesOf)));
}

async function* streamOf(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The counts of a unit and its run, which is read piece by piece. */
export async function readKeyFile(
  path: string,
  base: number,
): Promise<{ counts: UnitCounts; run: StoredRun }> {
  const [documents, items, records, pairs] = await readWords(path, 0, 4);
  const recordsEnd = headerBytes + 20 * records!;
  return {
    counts: { documents: documents!, items: items! },
    run: {
      base,
      records: records!,
      read: (start, end) => readWords(path, headerBytes + 20 * start, 5 * (end - start)),
      pairs: () => readWords(path, recordsEnd, 2 * pairs!),
    },
  };
}

async function readWords(path: string, at: number, count: number): Promise<Uint32Array> {
  const words = new Uint32Array(count);
  const { handle } = await openFile(path);
  try {
    const bytes = bytesOf(words);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, at + done);
      if (bytesRead === 0) throw new Error(`${path}: ends before byte ${at + bytes.length}`);
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return words;
}
