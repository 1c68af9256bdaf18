export { HeadwiseError, isHeadwiseError } from './errors.js';
