import { serveTasks } from '../worker-pool.js';
import { tokenizeWorker } from './unit-work.js';

serveTasks(tokenizeWorker);
