import { attend, attendGradient, attendRows, attendTable } from './attention';
import { appendTokens, attendCache, unpackHalves } from './decode';
import { dropout } from './dropout';
import { adamw, gatherRows, scatterRows, squareSums } from './elements';
import { gate, gateGradient, timesSlope } from './gate';
import { gatherPacked, packedProduct, packedProductBack, packedRows, unpackWeight } from './packed';
import { addRows, rotary, sumSequences } from './positions';
import { columnSums, packLines, product, rowsProduct } from './product';
import { crossEntropy, crossEntropyGradient, norm, normGradient, normWeights, softmax, softmaxGradient } from './rows';

export { attentionBytes } from './attention';
export { attach, launch, work } from './threads';

// The kernels' numbers, exported as globals that callers read.
export const PACK: i32 = 0;
export const PRODUCT: i32 = 1;
export const ROWS_PRODUCT: i32 = 2;
export const COLUMN_SUMS: i32 = 3;
export const TIMES_SLOPE: i32 = 4;
export const ATTEND: i32 = 5;
export const ATTEND_ROWS: i32 = 6;
export const ATTEND_GRADIENT: i32 = 7;
export const ATTEND_TABLE: i32 = 8;
export const NORM: i32 = 9;
export const NORM_GRADIENT: i32 = 10;
export const NORM_WEIGHTS: i32 = 11;
export const CROSS_ENTROPY: i32 = 12;
export const CROSS_ENTROPY_GRADIENT: i32 = 13;
export const SOFTMAX: i32 = 14;
export const ADAMW: i32 = 15;
export const SQUARE_SUMS: i32 = 16;
export const GATHER_ROWS: i32 = 17;
export const SCATTER_ROWS: i32 = 18;
export const SOFTMAX_GRADIENT: i32 = 19;
export const PACKED_ROWS: i32 = 20;
export const PACKED_PRODUCT: i32 = 21;
export const PACKED_PRODUCT_BACK: i32 = 22;
export const UNPACK_WEIGHT: i32 = 23;
export const GATHER_PACKED: i32 = 24;
export const ROTARY: i32 = 25;
export const ADD_ROWS: i32 = 26;
export const SUM_SEQUENCES: i32 = 27;
export const DROPOUT: i32 = 28;
export const ATTEND_CACHE: i32 = 29;
export const APPEND_TOKENS: i32 = 30;
export const UNPACK_HALVES: i32 = 31;
export const GATE: i32 = 32;
export const GATE_GRADIENT: i32 = 33;

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
    case NORM:
      return norm(chunk);
    case NORM_GRADIENT:
      return normGradient(chunk);
    case NORM_WEIGHTS:
      return normWeights(chunk);
    case CROSS_ENTROPY:
      return crossEntropy(chunk);
    case CROSS_ENTROPY_GRADIENT:
      return crossEntropyGradient(chunk);
    case SOFTMAX:
      return softmax(chunk);
    case ADAMW:
      return adamw(chunk);
    case SQUARE_SUMS:
      return squareSums(chunk);
    case GATHER_ROWS:
      return gatherRows(chunk);
    case SCATTER_ROWS:
      return scatterRows(chunk);
    case SOFTMAX_GRADIENT:
      return softmaxGradient(chunk);
    case PACKED_ROWS:
      return packedRows(chunk);
    case PACKED_PRODUCT:
      return packedProduct(chunk);
    case PACKED_PRODUCT_BACK:
      return packedProductBack(chunk);
    case UNPACK_WEIGHT:
      return unpackWeight(chunk);
    case GATHER_PACKED:
      return gatherPacked(chunk);
    case ROTARY:
      return rotary(chunk);
    case ADD_ROWS:
      return addRows(chunk);
    case SUM_SEQUENCES:
      return sumSequences(chunk);
    case DROPOUT:
      return dropout(chunk);
    case ATTEND_CACHE:
      return attendCache(chunk);
    case APPEND_TOKENS:
      return appendTokens(chunk);
    case UNPACK_HALVES:
      return unpackHalves(chunk);
    case GATE:
      return gate(chunk);
    case GATE_GRADIENT:
      return gateGradient(chunk);
  }
}
