import { byteToUnit, utf8Byte, utf8Length } from './bytes.js';
import { type NormalizedText, type Rewriter, sizeOf } from './normalized-text.js';

/** A text in pieces, which tokens do not cross. */
export class Pieces {
  readonly text: NormalizedText;
  /** Where each piece begins and ends, in code units: `[start, end, start, end, …]`. */
  bounds: number[] = [];
  /** The model is to see the printable characters of the pieces' UTF-8 bytes, which are not written out. */
  bytes = false;

  constructor(text: NormalizedText) {
    this.text = text;
  }

  /** One piece: the whole text. */
  reset(): void {
    this.bounds = this.text.length > 0 ? [0, this.text.length] : [];
    this.bytes = false;
  }

  /** Cuts each piece; `cut` adds the parts to keep, empty ones are left out. */
  split(cut: (start: number, end: number, bounds: number[]) => void): void {
    this.writeBytes();
    const old = this.bounds;
    this.bounds = [];
    for (let i = 0; i < old.length; i += 2) cut(old[i]!, old[i + 1]!, this.bounds);
  }

  /** Rewrites each piece. */
  rewrite(edit: (out: Rewriter, start: number, end: number) => void): void {
    const bounds: number[] = [];
    this.text.rewrite((out) => {
      for (let i = 0; i < this.bounds.length; i += 2) {
        const start = out.length;
        edit(out, this.bounds[i]!, this.bounds[i + 1]!);
        if (out.length > start) bounds.push(start, out.length);
      }
    });
    this.bounds = bounds;
  }

  /** Puts a code point in front of each piece for which `wants` holds, with the place of the piece's first character. */
  prefix(codePoint: number, wants: (start: number) => boolean): void {
    const { text, bounds } = this;
    if (!bounds.some((start, i) => i % 2 === 0 && wants(start))) return;
    if (bounds.length === 2 && bounds[0] === 0 && bounds[1] === text.length) {
      text.prepend(String.fromCodePoint(codePoint));
      this.bounds = [0, text.length];
      return;
    }
    this.rewrite((out, start, end) => {
      if (wants(start)) out.put(codePoint, start);
      out.keep(start, end);
    });
  }

  /** Writes the printable characters of the bytes out, for a part that has to see them. */
  writeBytes(): void {
    if (!this.bytes) return;
    this.bytes = false;
    const { text } = this;
    this.rewrite((out, start, end) => {
      for (let i = start; i < end; ) {
        const codePoint = text.codePoint(i);
        const length = utf8Length(codePoint);
        for (let k = 0; k < length; k++) out.put(byteToUnit[utf8Byte(codePoint, k, length)]!, i);
        i += sizeOf(codePoint);
      }
    });
  }
}
