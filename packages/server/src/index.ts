export { Engine, type EngineLimits } from './engine/engine.js';
export { EngineBusyError, EngineClosedError, SlowReaderError } from './engine/errors.js';
export type { Sequence, SequenceRequest } from './engine/sequence.js';
export { Server, type ServerOptions } from './server.js';
export type { ServedDecoder, ServedEncoder, ServedModel, ServerLimits } from './service.js';
