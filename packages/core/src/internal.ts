// For other packages of Headwise; may change in any version.
export { startBackend } from './backend/start.js';
