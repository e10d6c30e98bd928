import type { DemandSettings } from '@dialoglens/protocol';
import { DialogLensError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { Assignment } from '../registry/agent-registry.ts';
import type { Caption } from '../sinks/sink.ts';
import type { StoredSpan, TrackRecord } from '../store/store.ts';
import type { AgentParts } from './agent-parts.ts';
import { AudioProcessor, type SpeechSettings } from './audio-processor.ts';
import type { RemoteTrack, RoomConnection } from './room-connection.ts';
import { SpeakerLimit } from './speaker-limit.ts';
import { TrackAudio } from './track-audio.ts';

export interface RoomTracksOptions {
  parts: AgentParts;
  assignment: Assignment;
  logger: Logger;
  onCaption: (caption: Caption) => void;
  onSpans: (spans: StoredSpan[]) => void;
  /** The store says that the room is somebody else's. */
  onFenced: () => void;
  /** A track could not be served, and it is not known why. */
  onFailure: () => void;
}

interface HeardTrack {
  remote: RemoteTrack;
  audio: TrackAudio;
  unlisten: () => Promise<void>;
  /** Absent until the first frame was heard and the store knows the track. */
  processor: AudioProcessor | null;
}

/** The wall clock of a new track's beginning is read this late: of the first frames the least late one tells it. */
const anchorSettleMs = 200;
/** Pause before the store is asked again for the record of a track; its audio is kept meanwhile. */
const retryMs = 1_000;
/** An engine that takes audio only as fast as it is spoken would never catch up with kept audio. */
const leastReplayRate = 2;

/** The tracks of one room, from the audio to the captions: one AudioProcessor for each that is transcribed. */
export class RoomTracks {
  readonly #options: RoomTracksOptions;
  readonly #tracks = new Map<string, HeardTrack>();
  /** Tracks are opened and closed one after the other, so that a track that comes and goes at once is not half open. */
  readonly #work = new Map<string, Promise<void>>();
  readonly #muted = new Map<string, boolean>();
  readonly #speakers: SpeakerLimit;
  readonly #closing = new AbortController();
  /** Those of the assignment, or what replaced them since. */
  #settings: DemandSettings;
  #connection: RoomConnection | null = null;
  #away = false;

  constructor(options: RoomTracksOptions) {
    const { settings } = options.assignment;
    this.#options = options;
    this.#settings = settings;
    this.#speakers = new SpeakerLimit(settings.maxParticipants ?? options.parts.settings.maxParticipants);
  }

  /** Tracks that are heard. */
  get size(): number {
    return this.#tracks.size;
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
    for (const { audio } of this.#tracks.values()) audio.setDisconnected(away);
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
    for (const { processor } of this.#tracks.values()) processor?.settle();
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
    });
  }

  async #listen(remote: RemoteTrack): Promise<void> {
    const { sid } = remote;
    if (this.#closing.signal.aborted || !this.#connection || this.#tracks.has(sid)) return;
    if (!this.#speakers.admit(remote)) {
      this.#options.logger.info({ speakers: this.size }, 'a speaker waits: maxParticipants is reached');
      return;
    }
    const audio = this.#makeAudio(this.#muted.get(sid) ?? remote.muted);
    const unlisten = await this.#connection.listen(sid, (pcm) => this.#receive(sid, audio, pcm));
    this.#tracks.set(sid, { remote, audio, unlisten, processor: null });
    if (audio.isHeard) this.#queue(sid, () => this.#transcribe(sid));
  }

  #makeAudio(muted: boolean): TrackAudio {
    const { clock, scheduler, settings, audioBudget: budget } = this.#options.parts;
    const audio = new TrackAudio({ clock, scheduler, keepMs: settings.keepAudioMs, budget }, muted);
    if (this.#away) audio.setDisconnected(true);
    return audio;
  }

  #receive(sid: string, audio: TrackAudio, pcm: Int16Array): void {
    const isFirst = !audio.isHeard;
    audio.receive(pcm);
    if (isFirst && this.#tracks.has(sid)) this.#queue(sid, () => this.#transcribe(sid));
  }

  async #transcribe(sid: string): Promise<void> {
    const track = this.#tracks.get(sid);
    if (!track || track.processor) return;
    await this.#delay(anchorSettleMs);
    const { audio, remote } = track;
    const { anchorAt } = audio;
    const stored = await this.#openRecord(remote, anchorAt);
    if (!stored) return;
    const isNew = stored.anchorAt === anchorAt && stored.endSample === 0;
    const startSample = isNew ? 0 : audio.alignTo(stored);
    // The store may have had to clean the names; viewers know their people as LiveKit does.
    const record = { ...stored, identity: remote.identity, name: remote.name };
    const processor = this.#makeProcessor(record, startSample);
    track.processor = processor;
    const { replayRate } = this.#speechOf(this.#settings).provider.capabilities;
    audio.feed((frame) => processor.accept(frame), startSample, Math.max(leastReplayRate, replayRate));
  }

  /** The stored track. While the store is away its audio is kept. Null when it is too late, or the room is not ours. */
  async #openRecord(remote: RemoteTrack, anchorAt: number): Promise<TrackRecord | null> {
    const { parts, assignment, logger, onFenced } = this.#options;
    const { room, epoch, sessionId } = assignment;
    const { sid: trackSid, identity, name } = remote;
    for (;;) {
      try {
        const track = { sessionId, trackSid, identity, name, anchorAt };
        const stored = await parts.record.openTrack({ room, epoch }, track);
        if (!stored) onFenced();
        return stored;
      } catch (thrown) {
        if (!isStoreTrouble(thrown)) throw thrown;
        logger.warn({ err: thrown }, 'the store did not open a track; its audio is kept');
      }
      if (this.#closing.signal.aborted) return null;
      await this.#delay(retryMs);
    }
  }

  #makeProcessor(record: TrackRecord, startSample: number): AudioProcessor {
    const { parts, assignment, logger, onCaption, onSpans } = this.#options;
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
    this.#tracks.delete(sid);
    this.#muted.delete(sid);
    const next = this.#speakers.leave(sid);
    if (!this.#closing.signal.aborted) for (const waiting of next) this.add(waiting);
    if (!track) return;
    const { processor, audio, unlisten } = track;
    await unlisten();
    if (processor) {
      await audio.finish();
      await processor.finish(deadline, audio.missing());
    } else if (audio.isHeard) {
      this.#options.logger.warn({}, 'a track ended before the store knew it: what was said is lost');
    }
    audio.discard();
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
