import { randomUUID } from 'node:crypto';
import { isEnded, type JobInfo, type RayClient, RayError } from './client.js';
import { type PackageFiles, packageOf } from './package.js';
import { type JobRecord, parseLine } from './records.js';
import { ReturnedFolder } from './returned-folder.js';
import { type JobSpec, specName } from './spec.js';

/** A job for a cluster, and what is done with what it says. */
export interface Job {
  client: RayClient;
  /** The command that is `headwise` there. */
  program: string;
  cpus: number;
  gpus?: number | undefined;
  spec: JobSpec;
  /** The files that it reads, and its folder as it is here. */
  files: PackageFiles;
  /** Where its folder comes back to; absent where it has none, or one that both machines see. */
  folder?: string | undefined;
  /** The folder of the job as it is called here, in messages. */
  name: string;
  stop: AbortSignal;
  /** Called with a line of the command. */
  onLine(line: string): void;
  /** Called with a line of Ray, or about the cluster. */
  onNote(line: string): void;
  /** Called with the job's id when it is submitted. */
  onSubmit?(id: string): void;
}

/** How a job ended. */
export interface JobEnd {
  /** The exit code of the command; null where it was killed, or where nobody has said how it ended. */
  code: number | null;
  /** What ended it otherwise, in words. */
  how: string;
}

/**
 * Runs a command on a cluster: packs, submits, follows its log, and brings its folder back as it changes.
 *
 * @throws RayError where the cluster does not answer, has other versions, or is gone; what has come back stays
 */
export async function runJob(job: Job): Promise<JobEnd> {
  const { client, spec, files, program, stop } = job;
  const content = { ...files, [specName]: new TextEncoder().encode(JSON.stringify(spec)) };
  const { name, bytes } = packageOf(content);
  const workingDir = await client.upload(name, bytes);
  const id = `headwise_${randomUUID()}`;
  await client.submit({
    entrypoint: `${program} job ${specName}`,
    submission_id: id,
    runtime_env: {
      working_dir: workingDir,
      // What was done is saved and comes back before Ray ends the job by force.
      env_vars: { RAY_JOB_STOP_WAIT_TIME_S: '120', ...backendVariable() },
    },
    metadata: { headwise: spec.args.join(' ').slice(0, 500) },
    entrypoint_num_cpus: job.cpus,
    ...(job.gpus === undefined ? {} : { entrypoint_num_gpus: job.gpus }),
  });
  job.onSubmit?.(id);
  let stopping: Promise<unknown> = Promise.resolve();
  const onStop = () => {
    // Where the cluster does not answer, following says so.
    stopping = client.stop(id).catch(() => {});
  };
  stop.addEventListener('abort', onStop);
  if (stop.aborted) onStop();
  try {
    const told = await followJob(job, id);
    await stopping;
    return told.end ?? endOf(await client.info(id), told, program);
  } catch (error) {
    if (!(error instanceof RayError)) throw error;
    throw new RayError(`${error.message} (job ${id})`, { cause: error });
  } finally {
    stop.removeEventListener('abort', onStop);
  }
}

const backendVariable = (): Record<string, string> => {
  const { HEADWISE_BACKEND: backend } = process.env;
  return backend === undefined ? {} : { HEADWISE_BACKEND: backend };
};

/** What a job's log said. */
interface JobLog {
  /** Absent where it breaks off. */
  end?: JobEnd | undefined;
  /** The last lines before the command began: Ray's, and those of a program that did not start. */
  before: readonly string[];
}

/** Lines of a log that say why a command did not begin. */
const lastLines = 5;

/** Reads a job's log to its end. */
async function followJob(job: Job, id: string): Promise<JobLog> {
  const folder = job.folder === undefined ? undefined : new ReturnedFolder(job.folder);
  let end: JobEnd | undefined;
  let before: string[] = [];
  let tell = (line: string) => {
    before = [...before, line].filter((one) => one.trim() !== '').slice(-lastLines);
    job.onNote(line);
  };
  let rest = '';
  const take = async (record: JobRecord) => {
    if (record.type === 'refused') throw new RayError(`${job.client.address}: ${record.problem}`);
    if (record.type === 'begin') {
      before = [];
      const names = localNames(record, job.name);
      tell = (line) => job.onLine(names(line));
      if (record.node !== job.spec.node) {
        job.onNote(
          `headwise: the cluster runs Node.js ${record.node}, this machine ${job.spec.node}; last digits may differ`,
        );
      }
    } else if (record.type === 'end') {
      end = { code: record.code, how: record.signal ?? `exit code ${record.code}` };
    } else await folder?.take(record);
  };
  for await (const text of job.client.follow(id)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const parsed = parseLine(line);
      if ('data' in parsed) folder?.data(parsed.data);
      else if ('text' in parsed) tell(parsed.text);
      else await take(parsed);
    }
  }
  if (rest !== '') tell(rest);
  return { end, before };
}

/** Paths of the cluster in messages, as they are called here. */
function localNames({ out, inputs }: { out: string | null; inputs: string }, name: string) {
  return (line: string): string =>
    (out === null ? line : line.replaceAll(out, name)).replaceAll(`${inputs}/`, '');
}

/** How a job ended that did not say so itself. */
function endOf(info: JobInfo, { before }: JobLog, program: string): JobEnd {
  // Ray appends up to 20,000 characters of the log, which has been read already.
  const message = (info.message ?? '').replace(/[,.]?\s*last available logs[\s\S]*$/i, '').trim();
  if (/exit code 127\b/.test(message)) {
    throw new RayError(
      `the cluster has no '${program}'; install headwise there, or say with --program how it is called`,
    );
  }
  if (!isEnded(info)) return { code: null, how: `the job is ${info.status}` };
  return { code: null, how: [message === '' ? info.status : message, ...before].join('\n  ') };
}
