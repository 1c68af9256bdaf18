import { contestants } from './contestants.node.js';
import { mobyDick } from './corpus.node.js';

// In a new process nothing is compiled and no word is known yet.
const [file, contestant] = process.argv.slice(2) as [string, string];
const lines = mobyDick().split('\n');
const encode = contestants[file]![contestant]!();
const start = performance.now();
for (const line of lines) encode(line);
process.send!({ ms: performance.now() - start });
