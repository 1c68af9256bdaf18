export { type Distance, distance } from './compare.js';
export { checkOperations } from './operations/check.js';
export { type Check, check, type Receipt, receipt, receiptTable } from './receipt.js';
