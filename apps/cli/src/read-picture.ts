import { readFile } from 'node:fs/promises';
import { FileError } from '@headwise/files';
import type { RawPicture } from '@headwise/models';
import { PNG } from 'pngjs';

/** A picture with the file that it was read from. */
export interface PictureFile extends RawPicture {
  /** A PNG. */
  readonly file: Uint8Array;
}

/** Pixels of 4 bytes each that are decoded at most: 256 MiB of them. */
const mostPixels = 2 ** 26;

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Reads a PNG that an option names.
 *
 * @throws FileError naming the option, the file and why it cannot be read, where it is not a PNG, and for one of too many pixels
 */
export async function readPicture(option: string, path: string): Promise<PictureFile> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new FileError(`${option} ${path}`, why, { cause });
  };
  const file = await readFile(path).catch((error: Error) =>
    refuse(`cannot be read: ${error.message}`, error),
  );
  if (!signature.every((byte, i) => file[i] === byte)) {
    const kind = file[0] === 0xff && file[1] === 0xd8 ? 'is a JPEG' : 'does not begin as a PNG';
    refuse(`${kind}; expected a PNG`);
  }
  // Said before memory is taken for them.
  if (file.length >= 24) {
    const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
    if (width * height > mostPixels) {
      refuse(`has ${width} by ${height} pixels; expected at most ${mostPixels}`);
    }
  }
  try {
    const { width, height, data } = PNG.sync.read(file);
    return { width, height, data, file };
  } catch (error) {
    return refuse(`is not a whole PNG: ${(error as Error).message}`, error);
  }
}
