import { serveTasks } from '../worker-pool.js';
import { filterWorker } from './unit-work.js';

serveTasks(filterWorker);
