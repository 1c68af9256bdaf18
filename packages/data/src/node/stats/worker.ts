import { serveTasks } from '../worker-pool.js';
import { statsWorker } from './unit-work.js';

serveTasks(statsWorker);
