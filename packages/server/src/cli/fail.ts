import pc from 'picocolors';
import { asError, DialogLensError } from '../errors.ts';

/** Prints what went wrong and what to do, and sets the exit code. Unexpected errors show where they came from. */
export function fail(thrown: unknown): void {
  const error = asError(thrown);
  process.exitCode = 1;
  if (!(error instanceof DialogLensError)) {
    console.error(error.stack ?? error.message);
    return;
  }
  console.error(`${pc.red('✗')} ${error.message}`);
  if (error.remedy) console.error(`  ${pc.dim(error.remedy)}`);
}
