// For other packages of Headwise; may change in any version.

export { withBalance } from '@headwise/layers';
export { checkpointFiles } from './checkpoint/files.js';
export { checkConfigFits } from './checkpoint/load.js';
export { openBytes, openConfig, openJson } from './checkpoint/open.js';
export { quantizationOf } from './checkpoint/packed.js';
export { findLogMelSettings } from './checkpoint/processor.js';
export {
  checkpointTensors,
  ownValues,
  type ParameterValues,
  tensorsByKey,
} from './checkpoint/tensors.js';
export { type FamilyConfiguration, readConfiguration } from './families.js';
export { type KeyTable, placeOf, shapeInFile } from './family.js';
export { jsonText, parseJson } from './json-text.js';
export { modelParts } from './model.js';
export { checkDivides, parseWith } from './parse-with.js';
export { type PlannedOptions, plannedModel } from './planned.js';
export { availableMemory, checkMemory } from './size.js';
