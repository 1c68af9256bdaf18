import type { DeskMethods } from './desk/main.js';
import { Client } from './worker/client.js';

const worker = new Worker(new URL('./desk/main.ts', import.meta.url), { type: 'module' });

/** The worker that cuts texts into tokens and draws large maps; it uses no GPU. */
export const desk: Client<DeskMethods, never> = new Client(worker);
