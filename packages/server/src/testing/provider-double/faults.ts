/**
 * The vocabulary in which tests tell a double of a speech service what to do wrong, and when. Every double understands
 * it in terms of its own protocol: `refuse` is a gRPC status here, an HTTP status or a close code there.
 */

/** How a service refuses. */
export type RefusalKind =
  | 'unauthenticated'
  | 'forbidden'
  | 'quota'
  | 'rate-limit'
  | 'bad-request'
  | 'session-limit'
  | 'unavailable'
  | 'internal'
  | 'deadline';

export type FaultAction =
  /** Ends the stream with an error, as the real service does. */
  | { do: 'refuse'; as: RefusalKind; message?: string }
  /** Breaks the connection without a word. */
  | { do: 'cut' }
  /** Reads nothing more, says nothing more, ends nothing. */
  | { do: 'hang' }
  /** Goes on reading, says nothing more. */
  | { do: 'go-deaf' }
  /** From here on finals come this much later, also after the client has said that no more audio comes. */
  | { do: 'delay-finals'; byMs: number }
  /** Says that it will end the stream, and does. Services that do not announce just end it then. */
  | { do: 'end-soon'; inMs: number };

/** A moment of a stream; exactly one of these. */
export type FaultMoment =
  /** When this message of the client has come; the first is 1 (the one with the settings, for most). */
  | { message: number }
  /** When this many bytes of audio have come. */
  | { byte: number }
  /** When this much audio has come. */
  | { audioMs: number };

export interface DoubleFault {
  at: FaultMoment;
  action: FaultAction;
  /** Only on this stream, counted from 0 in the order in which they were opened; on every stream when absent. */
  stream?: number;
  /** How often it happens, over all streams; 1 when absent. */
  times?: number;
}

/** What came on a stream so far. */
export interface StreamProgress {
  messages: number;
  bytes: number;
  audioMs: number;
}

/** Faults still to come at one stream. */
export interface StreamFaults {
  /** The faults that are due now and were not before, in the order in which they were given. */
  due(progress: StreamProgress): FaultAction[];
}

/** Keeps count of the streams of a double and of the faults that happened. */
export class FaultScript {
  readonly #faults: { fault: DoubleFault; left: number }[] = [];
  #streams = 0;

  constructor(faults: readonly DoubleFault[] = []) {
    for (const fault of faults) this.add(fault);
  }

  /** Streams that were opened so far; also the number that `stream` of the next one is. */
  get streams(): number {
    return this.#streams;
  }

  /** Takes effect on open streams too, unless they are past it. */
  add(fault: DoubleFault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** Forgets what has not happened yet. */
  clear(): void {
    this.#faults.length = 0;
  }

  /** A double calls this for each stream that a client opens. */
  openStream(): StreamFaults {
    const stream = this.#streams;
    this.#streams += 1;
    let before: StreamProgress = { messages: 0, bytes: 0, audioMs: 0 };
    return {
      due: (progress) => {
        const due = this.#faults.filter(
          ({ fault, left }) =>
            left > 0 &&
            (fault.stream === undefined || fault.stream === stream) &&
            isReached(fault.at, progress) &&
            !isReached(fault.at, before),
        );
        before = { ...progress };
        for (const one of due) one.left -= 1;
        return due.map(({ fault }) => fault.action);
      },
    };
  }
}

function isReached(at: FaultMoment, progress: StreamProgress): boolean {
  if ('message' in at) return progress.messages >= at.message;
  return 'byte' in at ? progress.bytes >= at.byte : progress.audioMs >= at.audioMs;
}
