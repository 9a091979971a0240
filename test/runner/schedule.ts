/** What the scheduler knows of a job. */
export interface Schedulable {
  readonly alone?: boolean;
  readonly seconds: number;
}

/**
 * Runs jobs side by side, the longest first. Jobs that must be alone run first, one after the other, while nothing else
 * runs.
 *
 * @param slots how many jobs may run at the same time
 * @param run runs a job in a slot, from 0. It must not reject
 */
export async function schedule<J extends Schedulable>(
  jobs: readonly J[],
  slots: number,
  run: (job: J, slot: number) => Promise<void>,
): Promise<void> {
  for (const job of jobs.filter(({ alone }) => alone)) await run(job, 0);
  const queue = jobs
    .filter(({ alone }) => !alone)
    .toSorted((a, b) => b.seconds - a.seconds);
  const worker = async (slot: number) => {
    for (let job; (job = queue.shift()) !== undefined;) await run(job, slot);
  };
  await Promise.all(Array.from({ length: slots }, (_, slot) => worker(slot)));
}
