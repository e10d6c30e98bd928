import type { DemandSettings } from '@dialoglens/protocol';
import { DialogLensError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { Assignment, TrackMark } from '../registry/agent-registry.ts';
import type { Caption } from '../sinks/sink.ts';
import type { StoredSpan, TrackRecord } from '../store/store.ts';
import type { AgentParts } from './agent-parts.ts';
import { AudioProcessor, type SpeechSettings, settleDecidedMs } from './audio-processor.ts';
import type { CaptionStanding } from './caption-watch.ts';
import type { RemoteTrack, RoomConnection } from './room-connection.ts';
import { SpeakerLimit } from './speaker-limit.ts';
import { type RecordPlace, TrackAudio } from './track-audio.ts';

export interface RoomTracksOptions {
  parts: AgentParts;
  assignment: Assignment;
  logger: Logger;
  onCaption: (caption: Caption) => void;
  onSpans: (spans: StoredSpan[]) => void;
  /** The captions of a speaker do otherwise than before. */
  onStanding: (track: TrackRecord, standing: CaptionStanding) => void;
  /** The store says that the room is somebody else's. */
  onFenced: () => void;
  /** A track could not be served, and it is not known why. */
  onFailure: () => void;
  /** More of them are heard: see `areAllHeard`. */
  onHeard: () => void;
}

interface HeardTrack {
  remote: RemoteTrack;
  audio: TrackAudio;
  unlisten: () => Promise<void>;
  /** Absent until the first frame was heard and the store knows the track. */
  processor: AudioProcessor | null;
  record: TrackRecord | null;
  /** It is gone, and what was kept of it has not been transcribed yet. */
  departed: boolean;
}

/** The wall clock of a new track's beginning is read this late: of the first frames the least late one tells it. */
const anchorSettleMs = 200;
/** Pause before the store is asked again for the record of a track; its audio is kept meanwhile. */
const retryMs = 1_000;
/** An engine that takes audio only as fast as it is spoken would never catch up with kept audio. */
const leastReplayRate = 2;
/** A handover waits this long for a moment in which nobody speaks … */
const pauseWithinMs = 2_000;
/** … looks for it this often … */
const pauseEveryMs = 40;
/** … and gives the engine this long for the last words. Those it owes then are heard again by the successor. */
const lastWordsMs = 2_000;
/** What was kept of a speaker who has left meanwhile is transcribed in this time, or is recorded as a gap. */
const departedWithinMs = 5_000;

/**
 * The tracks of one room, from the audio to the captions: one AudioProcessor for each that is transcribed. While the room
 * is another agent's (`standby`, or after `cut`) their audio is only kept.
 */
export class RoomTracks {
  readonly #options: RoomTracksOptions;
  readonly #tracks = new Map<string, HeardTrack>();
  /** Tracks are opened and closed one after the other, so that a track that comes and goes at once is not half open. */
  readonly #work = new Map<string, Promise<void>>();
  readonly #muted = new Map<string, boolean>();
  /** What the end of the record of a track sounded like to whoever handed over. */
  readonly #marks = new Map<string, TrackMark>();
  readonly #speakers: SpeakerLimit;
  readonly #closing = new AbortController();
  /** Those of the assignment, or what replaced them since. */
  #settings: DemandSettings;
  #connection: RoomConnection | null = null;
  #away = false;
  /** What comes now is made up. */
  #lost = false;
  #serving: boolean;

  constructor(options: RoomTracksOptions) {
    const { settings, standby } = options.assignment;
    this.#serving = !standby;
    this.#options = options;
    this.#settings = settings;
    this.#speakers = new SpeakerLimit(settings.maxParticipants ?? options.parts.settings.maxParticipants);
  }

  /** Tracks that are heard. */
  get size(): number {
    return this.#tracks.size;
  }

  /** Those who speak now, by display name; each once. */
  get speaking(): string[] {
    const heard = [...this.#tracks.values()].filter(({ processor }) => processor?.isSpeaking);
    return [...new Set(heard.map(({ remote }) => remote.name || remote.identity))];
  }

  /** Something has come of every track that is known of. */
  get areAllHeard(): boolean {
    return this.#work.size === 0 && [...this.#tracks.values()].every(({ audio }) => audio.isHeard);
  }

  /** The way to the audio; before it nothing can be heard. */
  connect(connection: RoomConnection): void {
    this.#connection = connection;
  }

  add(track: RemoteTrack): void {
    this.#queue(track.sid, () => this.#listen(track));
  }

  remove(sid: string, deadline: AbortSignal): void {
    this.#queue(sid, () => this.#close(sid, deadline));
  }

  /** The speaker muted or unmuted. */
  setMuted(sid: string, muted: boolean): void {
    this.#muted.set(sid, muted);
    this.#tracks.get(sid)?.audio.setMuted(muted);
  }

  /** The connection was lost or is back. */
  setAway(away: boolean): void {
    this.#away = away;
    if (!away) this.#lost = false;
    for (const { audio } of this.#tracks.values()) audio.setDisconnected(away);
  }

  /** Nothing has come from LiveKit for this long, ms, and what was heard since was not said by anybody. */
  lose(silentForMs: number): void {
    this.#lost = true;
    const sinceMs = this.#options.parts.clock.monotonicMs() - silentForMs;
    for (const { audio, processor } of this.#tracks.values()) {
      audio.setDisconnected(true);
      processor?.lose(audio.positionAt(sinceMs));
    }
  }

  /** Takes other settings; each speaker goes on with them from their next pause. @throws DialogLensError `unknown_provider` */
  configure(settings: DemandSettings): void {
    if (this.#closing.signal.aborted) return;
    // Refuses an engine nobody has here before anything changes.
    const speech = this.#speechOf(settings);
    this.#settings = settings;
    for (const { processor } of this.#tracks.values()) processor?.configure(speech);
    const most = settings.maxParticipants ?? this.#options.parts.settings.maxParticipants;
    for (const track of this.#speakers.setMost(most)) this.add(track);
  }

  /** Hands out what is known for certain; called every few seconds. */
  settle(): void {
    // Nothing is certain that was heard since LiveKit was last known to be there.
    if ((this.#connection?.silentForMs ?? 0) > settleDecidedMs) return;
    for (const { processor } of this.#tracks.values()) processor?.settle();
  }

  /** Transcribes what is heard and what was kept. Resolves when that has begun. */
  async serve(marks: readonly TrackMark[]): Promise<void> {
    this.#serving = true;
    for (const mark of marks) this.#marks.set(mark.trackSid, mark);
    for (const { remote } of await this.#inOrderOfRecord()) {
      this.#admitOrWait(remote);
    }
    const begun = [...this.#work.values()];
    this.#finishDeparted();
    await Promise.all(begun);
  }

  /**
   * Stops transcribing, in all tracks at one moment: a pause of everybody, or in two seconds at the latest. Resolves when
   * every final and span before the cut is out, to what it sounded like there. Audio behind it is kept.
   */
  async cut(): Promise<TrackMark[]> {
    this.#serving = false;
    await Promise.allSettled(this.#work.values());
    const tracks = [...this.#tracks.values()];
    for (const { processor } of tracks) processor?.lookAhead();
    const isPause = () => tracks.every(({ processor }) => processor?.isPause ?? true);
    for (let waitedMs = 0; waitedMs < pauseWithinMs && !isPause(); waitedMs += pauseEveryMs) {
      await this.#delay(pauseEveryMs);
    }
    const deadline = AbortSignal.timeout(lastWordsMs);
    const marks = await Promise.all(tracks.map((track) => this.#cutTrack(track, deadline)));
    return marks.flatMap((mark) => mark ?? []);
  }

  /** Goes on where `cut` stopped. */
  goOn(): void {
    this.#serving = true;
    for (const track of this.#tracks.values()) {
      if (track.record) this.#goOnWith(track, track.record);
      else this.#admitOrWait(track.remote);
    }
    this.#finishDeparted();
  }

  /** Lets go of everything; what was kept is forgotten and what engines owe is not waited for. */
  async discard(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#work.values());
    for (const { audio, processor, unlisten } of this.#tracks.values()) {
      audio.discard();
      await unlisten();
      await processor?.finish(AbortSignal.abort());
    }
    this.#tracks.clear();
  }

  /** Takes no more audio in: resolves when every final and span is out, or when the signal aborts. */
  async close(deadline: AbortSignal): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#work.values());
    await Promise.allSettled([...this.#tracks.keys()].map((sid) => this.#close(sid, deadline)));
  }

  #queue(sid: string, work: () => Promise<void>): void {
    const before = this.#work.get(sid) ?? Promise.resolve();
    const next = before.then(work).catch((thrown: unknown) => {
      this.#options.logger.error({ err: thrown }, 'a track could not be served');
      this.#options.onFailure();
    });
    this.#work.set(sid, next);
    void next.then(() => {
      if (this.#work.get(sid) === next) this.#work.delete(sid);
      this.#options.onHeard();
    });
  }

  /** Those that came while the room was another agent's were not counted yet. */
  #admitOrWait(remote: RemoteTrack): void {
    const { sid } = remote;
    if (this.#speakers.admit(remote)) this.#queue(sid, () => this.#transcribe(sid));
    else this.#queue(sid, () => this.#unlisten(sid));
  }

  #finishDeparted(): void {
    for (const [sid, { departed }] of this.#tracks) {
      if (departed) this.#queue(sid, () => this.#close(sid, AbortSignal.timeout(departedWithinMs)));
    }
  }

  async #listen(remote: RemoteTrack): Promise<void> {
    const { sid } = remote;
    if (this.#closing.signal.aborted || !this.#connection) return;
    const known = this.#tracks.get(sid);
    if (known) return known.departed ? this.#listenAgain(known, this.#connection) : undefined;
    // One that waits does not know yet whom the other agent transcribes.
    if (this.#serving && !this.#speakers.admit(remote)) {
      this.#options.logger.info({ speakers: this.size }, 'a speaker waits: maxParticipants is reached');
      return;
    }
    const audio = this.#makeAudio(this.#muted.get(sid) ?? remote.muted);
    const unlisten = await this.#connection.listen(sid, (pcm) => this.#receive(sid, audio, pcm));
    this.#tracks.set(sid, { remote, audio, unlisten, processor: null, record: null, departed: false });
    // Its turn may have come while it was opened.
    if (this.#serving && !this.#speakers.admit(remote)) return this.#unlisten(sid);
    if (audio.isHeard) this.#onFirstFrame(sid);
  }

  /** It has come back before anybody took what was kept of it. */
  async #listenAgain(track: HeardTrack, connection: RoomConnection): Promise<void> {
    const { remote, audio } = track;
    track.departed = false;
    track.unlisten = await connection.listen(remote.sid, (pcm) => this.#receive(remote.sid, audio, pcm));
  }

  #makeAudio(muted: boolean): TrackAudio {
    const { clock, scheduler, settings, audioBudget: budget } = this.#options.parts;
    const audio = new TrackAudio({ clock, scheduler, keepMs: settings.keepAudioMs, budget }, muted);
    if (this.#away) audio.setDisconnected(true);
    return audio;
  }

  #receive(sid: string, audio: TrackAudio, pcm: Int16Array): void {
    if (this.#lost) return;
    const isFirst = !audio.isHeard;
    audio.receive(pcm);
    if (isFirst && this.#tracks.has(sid)) this.#onFirstFrame(sid);
  }

  #onFirstFrame(sid: string): void {
    if (!this.#serving) return this.#options.onHeard();
    this.#queue(sid, async () => {
      await this.#delay(anchorSettleMs);
      await this.#transcribe(sid);
    });
  }

  async #transcribe(sid: string): Promise<void> {
    const track = this.#tracks.get(sid);
    if (!track?.audio.isHeard || track.record || !this.#serving) return;
    const { audio, remote } = track;
    const { anchorAt } = audio;
    const stored = await this.#openRecord(remote, anchorAt);
    if (!stored) return;
    const isNew = stored.anchorAt === anchorAt && stored.endSample === 0;
    // The store may have had to clean the names; viewers know their people as LiveKit does.
    const record = { ...stored, identity: remote.identity, name: remote.name };
    const endSample = Math.max(stored.endSample, stored.wordsEndSample);
    const place = { anchorAt: stored.anchorAt, endSample, mark: this.#marks.get(sid) };
    this.#transcribeFrom(track, record, isNew ? 0 : this.#findPlace(track, place));
  }

  /** Where its audio goes on in a record that somebody else began. */
  #findPlace({ audio, remote }: HeardTrack, place: RecordPlace): number {
    const { fromSample, apartMs } = audio.alignTo(place);
    this.#options.logger.debug({ track: remote.sid, apartMs }, 'a track goes on where its record ends');
    return fromSample;
  }

  #transcribeFrom(track: HeardTrack, record: TrackRecord, startSample: number): void {
    const { replayRate } = this.#speechOf(this.#settings).provider.capabilities;
    const processor = this.#makeProcessor(record, startSample);
    track.record = record;
    track.processor = processor;
    const rate = Math.max(leastReplayRate, replayRate);
    track.audio.feed((frame) => processor.accept(frame), startSample, rate);
  }

  #goOnWith(track: HeardTrack, record: TrackRecord): void {
    this.#transcribeFrom(track, record, Math.max(record.endSample, track.audio.keptFrom));
  }

  async #cutTrack(track: HeardTrack, deadline: AbortSignal): Promise<TrackMark | null> {
    const { processor, audio, record } = track;
    if (!processor || !record) return null;
    const { rest, ended, mark } = processor.cut(deadline);
    audio.hold(rest);
    track.processor = null;
    const endSample = await ended;
    track.record = { ...record, endSample, wordsEndSample: endSample };
    return mark && { trackSid: record.trackSid, ...mark };
  }

  /** The tracks that the record knows come first: they were transcribed so far. */
  async #inOrderOfRecord(): Promise<HeardTrack[]> {
    const { parts, assignment } = this.#options;
    const stored = await this.#whenStoreAnswers(() => parts.record.tracks(assignment.sessionId));
    const known = new Set(stored?.map(({ trackSid }) => trackSid));
    const rank = ({ remote }: HeardTrack) => (known.has(remote.sid) ? 0 : 1);
    return [...this.#tracks.values()].sort((a, b) => rank(a) - rank(b));
  }

  /** The stored track. Null when it is too late, or the room is not ours. */
  async #openRecord(remote: RemoteTrack, anchorAt: number): Promise<TrackRecord | null> {
    const { parts, assignment, onFenced } = this.#options;
    const { room, epoch, sessionId } = assignment;
    const { sid: trackSid, identity, name } = remote;
    const track = { sessionId, trackSid, identity, name, anchorAt };
    const stored = await this.#whenStoreAnswers(() => parts.record.openTrack({ room, epoch }, track));
    if (stored === null) onFenced();
    return stored ?? null;
  }

  /** Asks until the store answers; audio is kept meanwhile. Undefined when nobody wants to know any more. */
  async #whenStoreAnswers<T>(ask: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        return await ask();
      } catch (thrown) {
        if (!isStoreTrouble(thrown)) throw thrown;
        this.#options.logger.warn({ err: thrown }, 'the store did not tell of a track; audio is kept');
      }
      if (this.#closing.signal.aborted || !this.#serving) return undefined;
      await this.#delay(retryMs);
    }
  }

  #makeProcessor(record: TrackRecord, startSample: number): AudioProcessor {
    const { parts, assignment, logger, onCaption, onSpans, onStanding } = this.#options;
    const { makeDetector, settings, clock, metrics } = parts;
    return new AudioProcessor({
      track: record,
      startSample,
      room: assignment.room,
      speech: this.#speechOf(this.#settings),
      detector: makeDetector(),
      wantPartials: settings.wantPartials,
      makeSegmentId: () => newId('seg', clock.nowMs()),
      metrics,
      logger,
      onCaption,
      onSpans: (spans) => onSpans(spans.map((span) => ({ trackId: record.id, ...span }))),
      onStanding: (standing) => onStanding(record, standing),
    });
  }

  /** @throws DialogLensError `unknown_provider` */
  #speechOf(settings: DemandSettings): SpeechSettings {
    const { parts } = this.#options;
    return {
      language: settings.language ?? parts.settings.defaultLanguage,
      hints: settings.hints ?? [],
      provider: parts.provider(settings),
    };
  }

  async #close(sid: string, deadline: AbortSignal): Promise<void> {
    const track = this.#tracks.get(sid);
    if (track && this.#mayBeTranscribedYet(track)) return this.#keepDeparted(track);
    this.#tracks.delete(sid);
    this.#muted.delete(sid);
    this.#marks.delete(sid);
    const next = this.#speakers.leave(sid);
    if (!this.#closing.signal.aborted) for (const waiting of next) this.add(waiting);
    if (!track) return;
    const { processor, audio, record, unlisten } = track;
    await unlisten();
    if (processor) {
      await audio.finish();
      await processor.finish(deadline, audio.missing());
    } else if (audio.isHeard && !record && this.#serving) {
      this.#options.logger.warn({}, 'a track ended before the store knew it: what was said is lost');
    }
    audio.discard();
  }

  /** The agent that serves the room next, which may be this one, goes on where the record ends. */
  #mayBeTranscribedYet({ processor, audio }: HeardTrack): boolean {
    return !this.#serving && !this.#closing.signal.aborted && processor === null && audio.isHeard;
  }

  async #keepDeparted(track: HeardTrack): Promise<void> {
    track.departed = true;
    const { unlisten } = track;
    track.unlisten = () => Promise.resolve();
    await unlisten();
  }

  /** There is no place for this speaker: it waits until there is. */
  async #unlisten(sid: string): Promise<void> {
    const track = this.#tracks.get(sid);
    this.#tracks.delete(sid);
    track?.audio.discard();
    await track?.unlisten();
  }

  /** Resolves after `ms`, or at once when everything is closed. */
  #delay(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        signal.removeEventListener('abort', done);
        cancel();
        resolve();
      };
      const cancel = this.#options.parts.scheduler.after(ms, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

function isStoreTrouble(thrown: unknown): boolean {
  return thrown instanceof DialogLensError && thrown.code.startsWith('store_');
}
