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
        console.error(pc.red('Forced to stop; captions that were not written yet are lost.'));
        process.exit(interrupted);
      }
      first = false;
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
