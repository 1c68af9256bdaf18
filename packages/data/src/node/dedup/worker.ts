import { serveTasks } from '../worker-pool.js';
import { dedupWorker } from './unit-work.js';

serveTasks(dedupWorker);
