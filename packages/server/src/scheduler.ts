/** The port for timers, so that tests can turn the hands of one clock for everything. */
export interface Scheduler {
  /** Runs `work` once after `ms` milliseconds; the answer cancels it. */
  after(ms: number, work: () => void): () => void;
}

/** Real timers. They do not keep a process alive by themselves. */
export const systemScheduler: Scheduler = {
  after(ms, work) {
    const timer = setTimeout(work, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
