import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type LifetimeEvent, lifetimeChannel } from '../../lifetimes.ts';

/**
 * Resources of Node that end by themselves or belong to the process: file operations, name look-ups, zlib, the terminal,
 * and the threads below native libraries. Timers are watched where they are set, which also tells who set them.
 */
const ignoredResources = new Set([
  'Immediate',
  'Timeout',
  'FSReqCallback',
  'FSReqPromise',
  'FileHandleCloseReq',
  'GetAddrInfoReqWrap',
  'TTYWrap',
  'WriteWrap',
  'ZLIB',
]);

interface Holder {
  what: string;
  /** Where it began. */
  from: string;
}

type TimerFunction = (...args: Parameters<typeof setTimeout>) => NodeJS.Timeout;

/**
 * Notices what outlives the tests of a file: our agents, connections and stores, timers set by our code, and whatever else
 * keeps the process alive (sockets, servers, children, threads) beyond what was there before.
 */
export class LeakCheck {
  readonly #things = new Map<object, Holder>();
  readonly #timers = new Map<NodeJS.Timeout, Holder>();
  readonly #before = countResources();
  readonly #original = { setTimeout: globalThis.setTimeout, setInterval: globalThis.setInterval };
  readonly #onLifetime = (message: unknown) => this.#note(message as LifetimeEvent);

  /** Begins to watch. */
  start(): void {
    subscribe(lifetimeChannel, this.#onLifetime);
    globalThis.setTimeout = this.#watched('setTimeout');
    globalThis.setInterval = this.#watched('setInterval');
  }

  /** Watches no more. */
  stop(): void {
    unsubscribe(lifetimeChannel, this.#onLifetime);
    Object.assign(globalThis, this.#original);
  }

  /** What is still there, one line each. */
  leaks(): string[] {
    for (const timer of this.#timers.keys()) if (isOver(timer)) this.#timers.delete(timer);
    const holders = [...this.#things.values(), ...this.#timers.values()];
    const lines = holders.map(({ what, from }) => `${what}, begun ${from}`);
    return [...counted(lines), ...this.#moreResources()];
  }

  /** What is still there after everything had this long to end. */
  async settle(withinMs: number): Promise<string[]> {
    const { setTimeout } = this.#original;
    const untilMs = performance.now() + withinMs;
    while (this.leaks().length > 0 && performance.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return this.leaks();
  }

  #note({ what, thing, alive }: LifetimeEvent): void {
    if (!alive) this.#things.delete(thing);
    else if (!this.#things.has(thing)) this.#things.set(thing, { what, from: ourFrame() ?? 'elsewhere' });
  }

  #watched<Name extends 'setTimeout' | 'setInterval'>(name: Name): (typeof globalThis)[Name] {
    const original = this.#original[name] as TimerFunction;
    const watched: TimerFunction = (...args) => {
      const timer = original(...args);
      const from = directCaller();
      if (from) this.#timers.set(timer, { what: `a timer of ${name}`, from });
      return timer;
    };
    // `promisify(setTimeout)` finds its way through a property of the function.
    return Object.defineProperties(
      watched,
      Object.getOwnPropertyDescriptors(original),
    ) as (typeof globalThis)[Name];
  }

  #moreResources(): string[] {
    const now = countResources();
    return [...now]
      .map(([name, count]) => ({ name, more: count - (this.#before.get(name) ?? 0) }))
      .filter(({ more }) => more > 0)
      .map(({ name, more }) => `${more} × ${name}, which keeps the process alive`);
  }
}

function counted(lines: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return [...counts].map(([line, count]) => (count === 1 ? line : `${count} × ${line}`));
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    if (!ignoredResources.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Node marks timers that have run or were cleared. */
function isOver(timer: NodeJS.Timeout): boolean {
  return Reflect.get(timer, '_destroyed') === true;
}

/** The place in our sources that set a timer; null when a library did, whose sockets tell of it. */
function directCaller(): string | null {
  const [caller = ''] = frames()
    .slice(3)
    .filter((frame) => !frame.includes('/src/scheduler.ts'));
  return isOurs(caller) ? place(caller) : null;
}

/** The nearest place in our sources that is not concerned with watching. */
function ourFrame(): string | null {
  const frame = frames().find((line) => isOurs(line) && !/\/(leak-check|lifetimes)\.ts/.test(line));
  return frame === undefined ? null : place(frame);
}

function frames(): string[] {
  return (new Error().stack ?? '').split('\n').slice(1);
}

function isOurs(frame: string): boolean {
  return /\/packages\/[^/]+\/src\//.test(frame) && !frame.includes('node_modules');
}

function place(frame: string): string {
  return `at ${/packages\/.*$/.exec(frame)?.[0].replace(/\)$/, '') ?? frame.trim()}`;
}
