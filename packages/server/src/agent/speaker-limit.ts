import type { RemoteTrack } from './room-connection.ts';

/**
 * Which speakers of a room are transcribed: the first to publish win, whoever comes later waits for somebody to leave.
 * All tracks of a speaker count as one.
 */
export class SpeakerLimit {
  #most: number;
  /** Identity by SID of the tracks that are transcribed. */
  readonly #heard = new Map<string, string>();
  readonly #waiting = new Map<string, RemoteTrack>();

  /** @param most speakers transcribed at once */
  constructor(most: number) {
    this.#most = most;
  }

  /** True when the track may be transcribed; otherwise it waits. */
  admit(track: RemoteTrack): boolean {
    if (this.#heard.has(track.sid)) return true;
    if (!this.#fits(track)) {
      this.#waiting.set(track.sid, track);
      return false;
    }
    this.#waiting.delete(track.sid);
    this.#heard.set(track.sid, track.identity);
    return true;
  }

  /** The track is gone. Returns tracks that have waited and are transcribed from now on. */
  leave(sid: string): RemoteTrack[] {
    this.#waiting.delete(sid);
    return this.#heard.delete(sid) ? this.#admitWaiting() : [];
  }

  /** Those who are transcribed stay so. Returns tracks that have waited and are transcribed from now on. */
  setMost(most: number): RemoteTrack[] {
    this.#most = most;
    return this.#admitWaiting();
  }

  #admitWaiting(): RemoteTrack[] {
    return [...this.#waiting.values()].filter((track) => this.admit(track));
  }

  #fits({ identity }: RemoteTrack): boolean {
    const speakers = new Set(this.#heard.values());
    return speakers.has(identity) || speakers.size < this.#most;
  }
}
