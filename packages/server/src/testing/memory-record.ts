import type { RecordStore, StoredSegment, StoredSpan, Tenure, TrackRecord } from '../store/store.ts';

type AgentRecord = Pick<
  RecordStore,
  'openTrack' | 'tracks' | 'writeFinals' | 'writeSpans' | 'recentSegments'
>;

/** What agents read and write of the record, in memory: fenced, and as strict about overlaps as the store is. */
export class MemoryRecord {
  readonly finals: StoredSegment[] = [];
  readonly spans: StoredSpan[] = [];
  /** Finals that overlap one that is stored: a store would not take them. */
  readonly refused: StoredSegment[] = [];
  readonly #tracks: TrackRecord[] = [];
  readonly #holds: (tenure: Tenure) => boolean;

  /** @param holds whether that epoch has the room now */
  constructor(holds: (tenure: Tenure) => boolean) {
    this.#holds = holds;
  }

  readonly port: AgentRecord = {
    openTrack: async (tenure, track) => {
      if (!this.#holds(tenure)) return null;
      const known = this.#tracks.find(({ trackSid }) => trackSid === track.trackSid);
      if (known) return this.#told(known);
      const made = { ...track, id: `trk_${this.#tracks.length + 1}`, endSample: 0, wordsEndSample: 0 };
      this.#tracks.push(made);
      return { ...made };
    },
    tracks: async () => this.#tracks.map((track) => this.#told(track)),
    writeFinals: async (tenure, finals) => {
      if (!this.#holds(tenure)) return { fenced: true, stored: [], refused: [] };
      const refused = finals.filter((final) => this.finals.some((stored) => overlaps(final, stored)));
      const stored = finals.filter((final) => !refused.includes(final));
      this.refused.push(...refused);
      this.finals.push(...stored);
      const ids = (of: StoredSegment[]) => of.map(({ segment }) => segment.id);
      return { fenced: false, stored: ids(stored), refused: ids(refused) };
    },
    writeSpans: async (tenure, spans) => {
      if (!this.#holds(tenure)) return { fenced: true };
      this.spans.push(...spans);
      for (const { trackId, endSample } of spans) {
        const track = this.#tracks.find(({ id }) => id === trackId);
        if (track) track.endSample = Math.max(track.endSample, endSample);
      }
      return { fenced: false };
    },
    recentSegments: async (_, count) => this.finals.slice(-count).map(({ segment }) => segment),
  };

  /** Everything that was said on a track, in the order it was said. */
  textOf(trackSid: string): string {
    const mine = this.finals.filter(({ segment }) => segment.trackId === trackSid);
    const inOrder = mine.toSorted((a, b) => a.startSample - b.startSample);
    return inOrder.map(({ segment }) => segment.text).join(' ');
  }

  /** Stretches of every track that are gaps, or that no span explains, or more than one. */
  unexplained(): string[] {
    return this.#tracks.flatMap(({ id, trackSid }) => {
      const mine = this.spans.filter(({ trackId }) => trackId === id);
      const inOrder = mine.toSorted((a, b) => a.startSample - b.startSample);
      return inOrder.flatMap(({ kind, reason, startSample, endSample }, index) => {
        const expected = inOrder[index - 1]?.endSample ?? 0;
        const where = `${trackSid} ${startSample} … ${endSample}`;
        if (kind === 'gap') return [`${where}: ${reason}`];
        return startSample === expected ? [] : [`${where}: not after ${expected}`];
      });
    });
  }

  #told(track: TrackRecord): TrackRecord {
    const ends = this.finals.filter(({ trackId }) => trackId === track.id).map(({ endSample }) => endSample);
    return { ...track, wordsEndSample: Math.max(0, ...ends) };
  }
}

function overlaps(a: StoredSegment, b: StoredSegment): boolean {
  return a.trackId === b.trackId && a.startSample < b.endSample && b.startSample < a.endSample;
}
