// What `masks` holds.
export { dense } from './dense.js';
export { and, none, or, visible } from './mask.js';
export { causal, prefix, slidingWindow } from './order.js';
export { documents, padding } from './tokens.js';
