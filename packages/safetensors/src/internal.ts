export { halfBits, largestHalf, largestHalfBits } from './half.js';
