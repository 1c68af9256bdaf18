import { attend, attendGradient, attendRows, attendTable } from './attention';
import { columnSums, packLines, product, rowsProduct, timesSlope } from './product';

export { attentionBytes } from './attention';
export { attach, end, launch, work } from './threads';

// The numbers of kernels, exported as globals for the callers to read.
export const PACK: i32 = 0;
export const PRODUCT: i32 = 1;
export const ROWS_PRODUCT: i32 = 2;
export const COLUMN_SUMS: i32 = 3;
export const TIMES_SLOPE: i32 = 4;
export const ATTEND: i32 = 5;
export const ATTEND_ROWS: i32 = 6;
export const ATTEND_GRADIENT: i32 = 7;
export const ATTEND_TABLE: i32 = 8;

/** Runs one chunk of a kernel. */
export function runChunk(kernel: i32, chunk: i32): void {
  switch (kernel) {
    case PACK:
      return packLines(chunk);
    case PRODUCT:
      return product(chunk);
    case ROWS_PRODUCT:
      return rowsProduct(chunk);
    case COLUMN_SUMS:
      return columnSums(chunk);
    case TIMES_SLOPE:
      return timesSlope(chunk);
    case ATTEND:
      return attend(chunk);
    case ATTEND_ROWS:
      return attendRows(chunk);
    case ATTEND_GRADIENT:
      return attendGradient(chunk);
    case ATTEND_TABLE:
      return attendTable();
  }
}
