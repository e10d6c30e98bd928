import type { GapReason } from '@dialoglens/protocol';
import { AudioRing } from '../../audio/audio-ring.ts';
import { samplesPerMs } from '../../audio/track-clock.ts';
import type { Clock } from '../../clock.ts';
import { asError } from '../../errors.ts';
import type { Metrics } from '../../observability/metric-table.ts';
import type { Logger } from '../../observability/telemetry.ts';
import type { Scheduler } from '../../scheduler.ts';
import type { SttEvent, SttFaultKind, SttFinal, SttOpenOptions, SttPartial, SttSession } from '../stt.ts';
import { faultReactions, fullJitterMs, maxSuspectReplays } from './fault-policy.ts';
import { garbageIn, speechAroundMs } from './garbage.ts';
import { judgeLive } from './live-verdict.ts';
import { LostAudioLog } from './lost-audio.ts';
import { ownPart, type Stretch } from './own-part.ts';
import type { ProviderGate } from './provider-gate.ts';
import { isLive, newRange, type Range, rangeToHearAgain } from './range.ts';
import { StreamOpener } from './stream-opener.ts';
import type { SupervisedStream } from './supervised-stream.ts';
import { type SupervisorSettings, supervisorDefaults } from './supervisor-settings.ts';
import { SupervisorTelemetry } from './supervisor-telemetry.ts';
import { TextMemory } from './text-memory.ts';
import { TrackHealth } from './track-health.ts';
import { TrackRanges } from './track-ranges.ts';

export interface TrackSupervisorOptions {
  /** In the order in which they are preferred; all with the same clock. */
  gates: readonly ProviderGate[];
  open: SttOpenOptions;
  onEvent: (event: SttEvent) => void;
  onClosed: () => void;
  clock: Clock;
  scheduler: Scheduler;
  /** 0..1 */
  random: () => number;
  metrics: Metrics;
  logger: Logger;
  settings?: Partial<SupervisorSettings>;
}

const tickMs = 100;

/**
 * One track over providers that come and go. The track's time is divided into ranges; each is answered for by one stream
 * at a time, and what its stream did not finish is sent to the next one from the ring. So every word is in exactly one
 * final, or in a stretch that is reported lost.
 */
export class TrackSupervisor implements SttSession {
  readonly #options: TrackSupervisorOptions;
  readonly #settings: SupervisorSettings;
  readonly #ring: AudioRing;
  readonly #telemetry: SupervisorTelemetry;
  readonly #lost: LostAudioLog;
  readonly #health: TrackHealth;
  readonly #opener: StreamOpener;
  readonly #ranges: TrackRanges;
  readonly #texts = new TextMemory();
  #state: 'open' | 'finishing' | 'closed' = 'open';
  /** Streams answer while they are written to; what they say is taken in afterwards. */
  #inbox: (() => void)[] = [];
  #isWorking = false;
  #cancelTick: (() => void) | null = null;
  #finished: { promise: Promise<void>; resolve: () => void } | null = null;

  constructor(options: TrackSupervisorOptions) {
    const { startSample } = options.open;
    this.#options = options;
    this.#settings = { ...supervisorDefaults, ...options.settings };
    this.#ring = new AudioRing(this.#settings.ringMs, startSample);
    this.#telemetry = new SupervisorTelemetry(options.metrics, options.onEvent);
    this.#health = new TrackHealth(options.onEvent);
    this.#lost = new LostAudioLog(this.#ring, (lost) => this.#telemetry.lost(lost));
    this.#opener = new StreamOpener({
      ...options,
      ring: this.#ring,
      settings: this.#settings,
      onEvent: (range, stream, event) => {
        this.#work(() => {
          if (range.stream === stream) this.#onEvent(range, stream, event);
        });
      },
    });
    const parkAfterMs = options.gates[0]?.provider.capabilities.parkAfterSilenceMs ?? null;
    this.#ranges = new TrackRanges(this.#ring, this.#settings, parkAfterMs !== null);
    this.#work(() => undefined);
  }

  /** Memory of the ring, bytes. */
  get ringBytes(): number {
    return this.#ring.bytes;
  }

  write(pcm: Int16Array, firstSample: number, speech: boolean): void {
    if (this.#state !== 'open' || pcm.length === 0) return;
    const seen = Math.max(0, this.#ring.endSample - firstSample);
    if (seen >= pcm.length) return;
    this.#work(() => this.#ring.append(pcm.subarray(seen), firstSample + seen, speech));
  }

  flush(): void {
    if (this.#state !== 'open') return;
    this.#work(() => this.#ranges.live?.stream?.flushAt(this.#ring.endSample));
  }

  finish(): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve();
    if (this.#finished === null) {
      let resolve: () => void = () => undefined;
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#finished = { promise, resolve };
      this.#state = 'finishing';
      this.#work(() => {
        const live = this.#ranges.live;
        if (live) live.to = Math.max(live.from, this.#ring.endSample);
      });
    }
    return this.#finished.promise;
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#cancelTick?.();
    for (const { stream } of this.#ranges.all) stream?.close();
    this.#ranges.clear();
    this.#inbox = [];
    this.#finished?.resolve();
    this.#options.onClosed();
  }

  decidedTo(): number {
    return this.#ranges.decidedTo();
  }

  /** Does something, then everything that follows from it; never from within itself. */
  #work(action: () => void): void {
    this.#inbox.push(action);
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      do {
        for (let next = this.#inbox.shift(); next; next = this.#inbox.shift()) next();
        if (this.#state !== 'closed') this.#turn();
      } while (this.#inbox.length > 0);
    } finally {
      this.#isWorking = false;
    }
  }

  #turn(): void {
    this.#giveUpOld();
    for (const range of [...this.#ranges.all]) this.#serve(range);
    this.#ranges.remove((range) => this.#isOver(range));
    this.#ranges.release();
    if (this.#health.look(this.#ranges.all, this.#options.clock.monotonicMs())) this.#lost.flush();
    if (this.#state === 'finishing' && this.#ranges.all.length === 0) {
      this.#lost.flush();
      return this.close();
    }
    this.#scheduleTick();
  }

  /** What is about to leave the ring without ever having been sent is lost. */
  #giveUpOld(): void {
    const margin = this.#samples(1_000);
    const floor = this.#ring.endSample - this.#samples(this.#settings.ringMs) + margin;
    for (const range of this.#ranges.all) {
      const isHeard = range.stream !== null && range.stream.cursor > floor;
      if (range.committed >= floor || isHeard) continue;
      const to = Math.min(range.to, floor);
      this.#lost.add(range.committed, to, this.#lossReason());
      range.committed = to;
    }
  }

  #lossReason(): GapReason {
    return this.#health.refusal === 'spend limit' ? 'spend_limit' : 'provider';
  }

  #serve(range: Range): void {
    if (range.stream === null) this.#maybeOpen(range);
    const { stream } = range;
    if (stream === null) return;
    const limit = isLive(range) ? this.#ring.endSample : range.to + range.beyond;
    const isSent = stream.pump(this.#ring, limit);
    if (isLive(range)) return this.#watchLive(range, stream);
    const hasEnded = this.#state === 'finishing' || this.#ring.endSample >= limit;
    if (isSent && hasEnded && !stream.isFinishing) this.#drain(range, stream);
  }

  #drain(range: Range, stream: SupervisedStream): void {
    const fail = (why: string) => () => this.#failed(range, 'transient', why);
    const cancel = this.#options.scheduler.after(this.#settings.drainMs, () =>
      this.#fromStream(range, stream, fail('no end of the stream')),
    );
    const done = stream.finish().finally(cancel);
    done.then(
      () => this.#fromStream(range, stream, () => this.#ended(range, stream)),
      (thrown: unknown) => this.#fromStream(range, stream, fail(asError(thrown).message)),
    );
  }

  /** The stream has said all it has to say about the range. */
  #ended(range: Range, stream: SupervisedStream): void {
    const forgotten = Math.min(range.to, this.#ring.startSample);
    if (stream.isOwingFinal && range.committed < forgotten) {
      this.#lost.add(range.committed, forgotten, 'provider');
      range.committed = forgotten;
    }
    const speech = this.#ring.firstSpeech(range.committed);
    const isUnanswered = stream.isOwingFinal && speech !== null && speech < range.to;
    // Speech without a word: noise, or an engine that fell deaf without telling. Another stream may hear it, once.
    if (isUnanswered && !range.isUnheard) {
      range.isUnheard = true;
      this.#telemetry.replay(speech, range.to);
    } else range.committed = range.to;
    this.#closeStream(range);
  }

  /** Runs `action` unless the range has another stream by now: what is late is outside its tenure. */
  #fromStream(range: Range, stream: SupervisedStream, action: () => void): void {
    if (this.#state === 'closed' || range.stream !== stream) return;
    this.#work(() => {
      if (range.stream === stream) action();
    });
  }

  #maybeOpen(range: Range): void {
    const speech = this.#ring.firstSpeech(range.committed);
    const hasSpeech = speech !== null && speech < range.to;
    if (!isLive(range) && !hasSpeech) {
      // Nothing was said there.
      range.committed = range.to;
      return;
    }
    if (range.isParked && !hasSpeech) return;
    if (this.#options.clock.monotonicMs() < range.wakeMs) return;
    // One replay at a time, the oldest first.
    if (
      !isLive(range) &&
      this.#ranges.all.some((other) => other.stream !== null && other.from < range.from && !isLive(other))
    )
      return;
    this.#open(range);
  }

  #open(range: Range): void {
    const { clock, random } = this.#options;
    const failed = this.#opener.open(range);
    if (failed === null) return this.#health.taken();
    const waitMs = Math.min(failed.retryAtMs - clock.monotonicMs(), this.#settings.maxRetryMs);
    const wakeMs = clock.monotonicMs() + Math.max(tickMs, waitMs) * (1 + 0.2 * random());
    if (isLive(range) || this.#health.refusal === null) {
      this.#health.refused(failed.reason, Math.max(failed.retryAtMs, wakeMs));
    }
    if (failed.isHopeless) return this.#giveUp(range);
    range.wakeMs = wakeMs;
  }

  #onEvent(range: Range, stream: SupervisedStream, event: SttEvent): void {
    switch (event.type) {
      case 'partial':
        this.#answered(range, stream);
        return this.#partial(range, event);
      case 'final':
        this.#answered(range, stream);
        return this.#final(range, stream, event);
      case 'closing':
        return this.#onClosing(range, stream, event.deadlineMs);
      case 'fault':
        if (event.lost) return this.#lostUtterance(range, event.kind, event.lost);
        return this.#failed(range, event.kind, event.message);
      case 'usage':
      case 'health':
        return this.#options.onEvent(event);
      case 'speech-start':
      case 'speech-end':
        this.#answered(range, stream);
        if (isLive(range)) this.#options.onEvent(event);
    }
  }

  #answered(range: Range, stream: SupervisedStream): void {
    range.failures = 0;
    stream.permit.heard();
  }

  #partial(range: Range, event: SttPartial): void {
    if (!isLive(range) && !range.isShown) return;
    if (event.endSample <= range.committed) return;
    const partial = this.#texts.ownPartial(event, range.committed);
    if (partial.text === '') return;
    range.isShown = true;
    this.#options.onEvent({ ...partial, source: range.source });
  }

  #final(range: Range, stream: SupervisedStream, event: SttFinal): void {
    const own = { startSample: range.committed, endSample: range.to };
    const part = ownPart(event, own);
    const done = Math.min(event.endSample, range.to);
    const text = part === null ? '' : this.#texts.withoutRepeats(event, part, own);
    if (part === null || text === '') {
      range.committed = Math.max(range.committed, done);
      return this.#takeBack(range, done);
    }
    const final = { ...part, text, source: range.source };
    const garbage = garbageIn(final, speechAroundMs(this.#ring, final));
    range.committed = Math.max(range.committed, part.endSample, done);
    if (garbage !== null) return this.#setAside(range, stream, final, garbage);
    this.#texts.remember(final);
    range.isShown = false;
    this.#lost.flush();
    this.#options.onEvent(final);
  }

  /** A partial that is on display and will have no text is taken back by an empty final. */
  #takeBack(range: Range, endSample: number): void {
    if (!range.isShown) return;
    range.isShown = false;
    const startSample = Math.min(range.from, endSample);
    this.#options.onEvent({ type: 'final', text: '', startSample, endSample, source: range.source });
  }

  /** Text that cannot be right is not shown; another provider hears the audio once. */
  #setAside(range: Range, stream: SupervisedStream, final: SttFinal, why: string): void {
    const { logger, gates } = this.#options;
    const { name } = stream.provider;
    this.#telemetry.garbage(name);
    logger.warn({ provider: name, why }, 'a final was set aside');
    this.#takeBack(range, final.endSample);
    if (why === 'text without speech') return;
    const excluded = new Set([...range.excluded, name]);
    const { startSample, endSample } = final;
    if (excluded.size >= gates.length) return this.#lost.add(startSample, endSample, 'provider');
    this.#ranges.insert({
      ...newRange(this.#ranges.newSource(), startSample, startSample),
      to: endSample,
      excluded,
    });
  }

  /** The stream goes on, but one utterance has no text: it is tried once more when there is room. */
  #lostUtterance(range: Range, kind: SttFaultKind, lost: Stretch & { reason?: GapReason }): void {
    const { clock } = this.#options;
    this.#telemetry.fault(range.stream?.provider.name ?? 'none', kind);
    const startSample = Math.max(lost.startSample, range.committed);
    const endSample = Math.min(lost.endSample, range.to);
    if (endSample <= startSample) return;
    range.committed = endSample;
    const reason = lost.reason ?? (kind === 'limit' ? 'overload' : 'provider');
    if (range.suspicions >= maxSuspectReplays || startSample < this.#ring.startSample) {
      this.#takeBack(range, endSample);
      return this.#lost.add(startSample, endSample, reason);
    }
    const own = { startSample, endSample };
    const again = rangeToHearAgain(range, own, this.#samples(this.#settings.overlapMs));
    again.wakeMs = clock.monotonicMs() + this.#retryIn(again.suspicions + 1);
    if (isLive(range)) range.source = this.#ranges.newSource();
    range.isShown = false;
    this.#telemetry.replay(startSample, endSample);
    this.#ranges.insert(again);
  }

  #failed(range: Range, kind: SttFaultKind, message: string): void {
    const { stream } = range;
    if (stream === null) return;
    const { logger, clock } = this.#options;
    const { name } = stream.provider;
    this.#telemetry.fault(range.stream?.provider.name ?? 'none', kind);
    logger.warn({ provider: name, kind }, `speech provider: ${message}`);
    stream.permit.failed(kind);
    if (kind === 'language') this.#opener.giveUpOn(name);
    const sent = Math.min(stream.cursor, range.to);
    this.#closeStream(range);
    range.failures += 1;
    range.wakeMs = clock.monotonicMs() + this.#retryIn(range.failures);
    if (faultReactions[kind].suspectAudio && !this.#suspect(range, kind, sent)) return;
    if (isLive(range)) this.#split(range);
    else this.#telemetry.replay(range.committed, range.to);
  }

  /** The audio itself may be the trouble. False when it is given up. */
  #suspect(range: Range, kind: SttFaultKind, sent: number): boolean {
    range.suspicions += 1;
    if (range.suspicions <= (kind === 'deaf' ? 1 : maxSuspectReplays)) return true;
    this.#lost.add(range.committed, sent, 'provider');
    range.suspicions = 0;
    range.committed = Math.max(range.committed, sent);
    this.#takeBack(range, sent);
    return false;
  }

  /** The live audio goes on at once on a stream of its own, unless what is left to replay is caught up with quickly. */
  #split(range: Range): void {
    const end = this.#ring.endSample;
    const speech = this.#ring.firstSpeech(range.committed);
    if (speech === null) return;
    this.#telemetry.replay(speech, end);
    const behindMs = (end - speech) / samplesPerMs;
    const slowest = Math.min(...this.#options.gates.map((gate) => gate.provider.capabilities.replayRate));
    if (behindMs <= this.#settings.catchUpMs * Math.max(1, slowest - 1)) return;
    this.#ranges.cut(range);
  }

  #watchLive(range: Range, stream: SupervisedStream): void {
    const isBack = this.#preferredIsBack(stream);
    switch (judgeLive(range, stream, this.#ring, this.#settings, isBack)) {
      case 'deaf':
        return this.#failed(range, 'deaf', 'speech without an answer');
      case 'park':
        return this.#ranges.park(range);
      case 'roll over':
        return this.#rollOver(range);
      case 'hand on':
        return this.#open(this.#ranges.cut(range));
      case 'go on':
    }
  }

  /** A provider before this one can be tried again. */
  #preferredIsBack(stream: SupervisedStream): boolean {
    return stream.ageMs >= this.#settings.maxRetryMs && this.#opener.isBetterBack(stream.provider);
  }

  /** Make before break: the new stream listens before the old one is told that no more audio comes. */
  #rollOver(range: Range): void {
    const { to, beyond } = range;
    const live = this.#ranges.cut(range);
    this.#open(live);
    // When nobody takes it over the old stream goes on as long as it lives.
    if (live.stream === null) this.#ranges.join(range, live, { to, beyond });
  }

  #onClosing(range: Range, stream: SupervisedStream, deadlineMs: number): void {
    const wait = Math.max(0, Math.min(deadlineMs / 2, deadlineMs - 2_000));
    this.#options.scheduler.after(wait, () =>
      this.#fromStream(range, stream, () => {
        if (isLive(range)) this.#rollOver(range);
      }),
    );
  }

  #closeStream(range: Range): void {
    range.stream?.close();
    range.stream = null;
  }

  /** No provider is left for this audio. */
  #giveUp(range: Range): void {
    const to = Math.min(range.to, this.#ring.endSample);
    this.#lost.add(range.committed, to, this.#lossReason());
    this.#takeBack(range, to);
    range.committed = to;
  }

  #isOver(range: Range): boolean {
    if (isLive(range) || range.stream !== null || range.committed < range.to) return false;
    this.#takeBack(range, range.to);
    return true;
  }

  #retryIn(failures: number): number {
    return fullJitterMs(failures, this.#settings.maxRetryMs, this.#options.random);
  }

  /** Timers are needed only while something waits or lags; otherwise the audio itself is the clock. */
  #scheduleTick(): void {
    if (this.#cancelTick !== null) return;
    const waitMs = Math.min(...this.#ranges.all.map((range) => this.#waitOf(range)));
    if (waitMs === Number.POSITIVE_INFINITY) return;
    this.#cancelTick = this.#options.scheduler.after(Math.max(tickMs, waitMs), () => {
      this.#cancelTick = null;
      this.#work(() => undefined);
    });
  }

  /** When the range needs to be looked at without being written to, ms from now. */
  #waitOf({ stream, isParked, wakeMs, committed }: Range): number {
    const isAsleep = isParked && this.#ring.firstSpeech(committed) === null;
    if (stream === null)
      return isAsleep ? Number.POSITIVE_INFINITY : wakeMs - this.#options.clock.monotonicMs();
    return stream.cursor < this.#ring.endSample && !stream.isFinishing ? tickMs : Number.POSITIVE_INFINITY;
  }

  #samples(ms: number): number {
    return Math.round(ms * samplesPerMs);
  }
}
