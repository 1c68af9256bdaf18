export { type Distance, distanceBetween } from './compare.js';
export { checkBetween, type Outputs, outputsForIds } from './models/between.js';
export { boundsOn, checkModel, type ModelBounds } from './models/check.js';
export { hasGolden } from './models/golden.js';
export { groupsOf, type ModelGroup, modelGroups } from './models/groups.js';
export { checkOperations } from './operations/check.js';
export {
  type Check,
  checkOf,
  type Receipt,
  receiptOf,
  receiptTable,
  worstChecks,
} from './receipt.js';
