import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { headwiseHere, jsonLines, temporaryFolder, writeConfig } from './headwise.js';

/** CRC-32C by long division in GF(2), bit by bit, from the polynomial 0x1edc6f41 of RFC 3720. */
function crc32c(bytes: Uint8Array): number {
  const bits = [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> i) & 1));
  let remainder = 0xffffffff;
  for (const bit of bits) {
    const carried = (remainder >>> 31) ^ bit;
    remainder = (remainder << 1) ^ (carried ? 0x1edc6f41 : 0);
  }
  let reflected = 0;
  for (let i = 0; i < 32; i++) reflected |= ((remainder >>> i) & 1) << (31 - i);
  return ~reflected >>> 0;
}

const masked = (bytes: Uint8Array) => {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
};

/** The records of a file of TFRecord, each of whose two check sums is that of the format. */
function recordsOf(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    expect(file.readUInt32LE(at + 8), `length at ${at}`).toBe(masked(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(file.readUInt32LE(at + 12 + length), `data at ${at}`).toBe(masked(data));
    records.push(data);
    at += length + 16;
  }
  return records;
}

test('check sums are those of RFC 3720, appendix B.4', () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(ascending.toReversed())).toBe(0x113fdb5c);
});

test('a run and its continuation write whole records, one for each step and validation', async () => {
  const work = temporaryFolder();
  const config = writeConfig(work);
  const [out, logs] = [join(work, 'run'), join(work, 'logs')];
  const train = (steps: number) =>
    headwiseHere([
      ...['train', '--config', config, '--out', out, '--resume', '--tensorboard', logs],
      ...['--set', `training.steps=${steps}`],
    ]);
  expect(await train(4)).toMatchObject({ code: 0, stderr: '' });
  expect(await train(8)).toMatchObject({ code: 0, stderr: '' });
  const files = readdirSync(logs).sort();
  expect(files.map((name) => /^events\.out\.tfevents\.\d+\..+\.\d+\.\d+$/.test(name))).toEqual([
    true,
    true,
  ]);
  const [first, second] = files.map((name) => recordsOf(readFileSync(join(logs, name))));
  const history = jsonLines(readFileSync(join(out, 'trainer/history.jsonl'), 'utf8'));
  const ofSteps = (from: number, to: number) =>
    history.filter(({ step, loss }) => {
      const after = Number(step) + (loss === undefined ? 0 : 1);
      return after >= from && after <= to;
    });
  // The first record of a file names its version; that of a continuation voids what came later.
  expect(first!).toHaveLength(1 + ofSteps(0, 4).length);
  expect(second!).toHaveLength(2 + ofSteps(5, 8).length);
  for (const records of [first!, second!]) {
    expect(records[0]!.toString('latin1')).toContain('brain.Event:2');
    // Field 1, the time, as a double.
    expect(records.map((record) => record[0])).toEqual(records.map(() => 9));
  }
  const losses = [...first!, ...second!].flatMap((record) => {
    const at = record.indexOf('train/loss');
    // After the tag, field 2 of `Summary.Value` is a float32.
    return at < 0 ? [] : [record.readFloatLE(at + 'train/loss'.length + 1)];
  });
  expect(losses).toEqual(
    history.flatMap(({ loss }) => (loss === undefined ? [] : [Math.fround(loss as number)])),
  );
});
