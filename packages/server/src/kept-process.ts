import { type ChildProcess, spawn } from 'node:child_process';

export interface KeptProcessOptions {
  /** Program and arguments. Nothing secret: everybody on the machine sees them. */
  command: readonly [string, ...string[]];
  /** Descriptor of the file that its output goes to. */
  logFd: number;
  /** What it is told when this process is gone, without `SIG`. */
  farewell: 'KILL' | 'INT' | 'TERM';
  cwd?: string;
  uid?: number;
  gid?: number;
}

/** A program that never outlives this process, however this process ends. */
export interface KeptProcess {
  /** Resolves when it has ended, wanted or not; with its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  readonly isRunning: boolean;
  /** Sends the signals one after the other, each after so many milliseconds, until it has ended. Idempotent. */
  end(...signals: readonly [NodeJS.Signals, number][]): Promise<void>;
}

/**
 * Keeps the program in a session of its own, so that Ctrl-C in a terminal reaches it only through `end()`, and ends it
 * when our end of the pipe on descriptor 3 closes: also when we are killed and can no longer do it ourselves.
 */
const keeper = [
  'exec 3<&0',
  'farewell=$1; shift',
  '"$@" </dev/null 3<&- &',
  'kept=$!',
  "trap '' INT TERM",
  '{ read -r _ <&3; kill "-$farewell" "$kept"; } &',
  'watcher=$!',
  'wait "$kept"',
  'code=$?',
  'kill -KILL "$watcher"',
  'exit "$code"',
].join('\n');

/** Starts a program that must not outlive this process. It needs a POSIX shell. */
export function startKeptProcess(options: KeptProcessOptions): KeptProcess {
  const { command, logFd, farewell, cwd, uid, gid } = options;
  const child = spawn('/bin/sh', ['-c', keeper, 'keeper', farewell, ...command], {
    stdio: ['pipe', logFd, logFd],
    detached: true,
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
  const exited = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'nothing'));
  });
  let ending: Promise<void> | null = null;
  return {
    exited,
    get isRunning() {
      return isRunning(child);
    },
    end(...signals) {
      ending ??= end(child, exited, signals);
      return ending;
    },
  };
}

function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

/** Signals the whole process group: the program and the shell that keeps it. */
async function end(
  child: ChildProcess,
  exited: Promise<unknown>,
  signals: readonly (readonly [NodeJS.Signals, number])[],
): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const timers = signals.map(([name, afterMs]) =>
    setTimeout(() => {
      if (isRunning(child)) process.kill(-pid, name);
    }, afterMs),
  );
  if (isRunning(child)) await exited;
  for (const timer of timers) clearTimeout(timer);
}
