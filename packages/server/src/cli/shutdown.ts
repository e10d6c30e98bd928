import pc from 'picocolors';

/** Exit code of a process that was ended by Ctrl-C, by convention 128 + signal number. */
const interrupted = 130;

/**
 * Resolves with the signal's name on the first SIGINT or SIGTERM. A second one ends the process at once: whoever asks
 * twice means it.
 */
export function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    let first = true;
    const onSignal = (signal: NodeJS.Signals) => {
      if (!first) {
        console.error(pc.red('\nForced to stop; captions that were not written yet are lost.'));
        process.exit(interrupted);
      }
      first = false;
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

/**
 * Runs work that a first Ctrl-C ends early, such as set-up: `work` is told by its signal, cleans up, and then the process
 * ends. `signalled` is what `untilSignal()` gave, `stopped` what is said then.
 */
export async function endedBySignal<T>(
  signalled: Promise<string>,
  work: (signal: AbortSignal) => Promise<T>,
  stopped = 'Stopped. What was complete is kept; the next run goes on from there.',
): Promise<T> {
  const stop = new AbortController();
  void signalled.then((signal) => stop.abort(new Error(`stopped by ${signal}`)));
  try {
    return await work(stop.signal);
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown;
    console.error(pc.dim(stopped));
    process.exit(interrupted);
  }
}
