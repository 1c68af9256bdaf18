import { parentPort, workerData } from 'node:worker_threads';
import { contestants } from './contestants.node.js';
import { mobyDick } from './corpus.node.js';

// A worker has its own engine, in which nothing is compiled and no word is known yet.
const { file, contestant } = workerData as { file: string; contestant: string };
const lines = mobyDick().split('\n');
const encode = contestants[file]![contestant]!();
const start = performance.now();
for (const line of lines) encode(line);
parentPort!.postMessage({ ms: performance.now() - start });
