/** A record of an event file: when, at which step, and what. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step?: number | undefined;
  /** `brain.Event:2`, of the first record of a file. */
  readonly fileVersion?: string | undefined;
  /** Values by their tags. */
  readonly scalars?: Readonly<Record<string, number>> | undefined;
  /** What was recorded from `step` on before is void: the run goes on from there. */
  readonly restart?: boolean | undefined;
}

/**
 * A record of TensorBoard's event files: an `Event` of its protocol in the frame of TFRecord.
 *
 * `length: u64, mask(crc(length)): u32, data, mask(crc(data)): u32`, little-endian, where
 * `mask(c) = ((c >> 15) | (c << 17)) + 0xa282ead8`.
 *
 * @see https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto
 */
export function eventRecord(event: TensorBoardEvent): Uint8Array {
  const data = encodedEvent(event);
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return record;
}

/** The fields of `Event`, `Summary`, `Summary.Value` and `SessionLog` by their numbers; those that are 0 are left out. */
function encodedEvent({ wallTime, step = 0, fileVersion, scalars, restart }: TensorBoardEvent) {
  const values = Object.entries(scalars ?? {}).flatMap(([tag, value]) =>
    bytesField(1, [...bytesField(1, utf8(tag)), ...floatField(2, value)]),
  );
  return Uint8Array.from([
    ...doubleField(1, wallTime),
    ...(step === 0 ? [] : [...key(2, wire.varint), ...varint(step)]),
    ...(fileVersion === undefined ? [] : bytesField(3, utf8(fileVersion))),
    ...(scalars ? bytesField(5, values) : []),
    ...(restart ? bytesField(7, [...key(1, wire.varint), 1]) : []),
  ]);
}

/** How a field's value is written. */
const wire = { varint: 0, eightBytes: 1, bytes: 2, fourBytes: 5 } as const;

const key = (field: number, type: number): number[] => [(field << 3) | type];
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function varint(value: number): number[] {
  const low = value % 128;
  return value < 128 ? [low] : [low | 128, ...varint(Math.floor(value / 128))];
}

const bytesField = (field: number, bytes: ArrayLike<number>): number[] => [
  ...key(field, wire.bytes),
  ...varint(bytes.length),
  ...Array.from(bytes),
];

function doubleField(field: number, value: number): number[] {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setFloat64(0, value, true);
  return [...key(field, wire.eightBytes), ...new Uint8Array(bytes.buffer)];
}

/** A field of a `oneof`, which is written where it is 0 too. */
function floatField(field: number, value: number): number[] {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setFloat32(0, value, true);
  return [...key(field, wire.fourBytes), ...new Uint8Array(bytes.buffer)];
}

/** The remainders of CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), by the byte. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = remainders[(crc ^ byte) & 255]! ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
