import type { DemandSettings } from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { Demand, Store } from '../store/store.ts';
import {
  type DemandChange,
  foldWish,
  type MetadataWish,
  mergeMetadata,
  readMetadata,
  wishKey,
} from './demand.ts';
import { isTrouble, type Reachability } from './reachability.ts';
import type { LiveRoom, RoomDirectory } from './room-directory.ts';
import type { RoomMemory } from './room-memory.ts';

/** LiveKit may list the metadata of before for this long after we wrote it, ms. */
const staleMetadataMs = 10_000;

export interface DemandKeeperDeps {
  store: Pick<Store, 'demands' | 'audit'>;
  directory: RoomDirectory;
  memory: RoomMemory;
  reach: Reachability;
  clock: Clock;
  logger: Logger;
  rooms: 'demand' | 'all';
  /** @throws DialogLensError `unsupported_language` or `unknown_provider` */
  checkSettings: (settings: DemandSettings) => void;
}

/** The wish as it is stored, and whether that is what was to be written: somebody else may have been quicker. */
interface Applied {
  isDone: boolean;
  demand: Demand | null;
}

/** Keeps the wishes: what metadata, the API and the policy say about a room becomes one row of the store. */
export class DemandKeeper {
  readonly #deps: DemandKeeperDeps;

  constructor(deps: DemandKeeperDeps) {
    this.#deps = deps;
  }

  /** The demand of a listed room, after taking in what its metadata says now. */
  async fold(live: LiveRoom, demand: Demand | null): Promise<Demand | null> {
    // A wish of an incarnation that is gone is cleared first; only then does the new one speak.
    if (demand !== null && demand.roomSid !== null && demand.roomSid !== live.sid) return demand;
    const bound = await this.#bind(live, demand);
    if (demand?.roomSid === null && isStop(demand) && this.#wishesIn(live)) return this.#catchUp(live);
    const current =
      bound?.source === 'policy' && this.#deps.rooms !== 'all' ? await this.#drop(bound) : bound;
    return this.#foldMetadata(live, current);
  }

  /** The policy wants every room in which somebody has a voice. */
  async wantByPolicy({ name: room, sid: roomSid }: LiveRoom): Promise<Demand | null> {
    const wish = { room, wanted: true, source: 'policy', settings: {}, priority: 0, roomSid } as const;
    return (await this.#replace(null, wish)).demand;
  }

  /** Whether the metadata says something this process has not taken in, or that is not in the demand it has to be in. */
  isNews(live: LiveRoom, demand: Demand | undefined): boolean {
    if (demand === undefined && live.metadata.includes('transcriptionEnabled') && this.#wishesIn(live))
      return true;
    const seen = this.#deps.memory.peek(live.name)?.wish;
    const key = this.#keyOf(live);
    return seen?.roomSid === live.sid ? key !== seen.key && key !== seen.stale?.key : key !== '';
  }

  /** Records an API start and writes it into the metadata. */
  async start(room: string, settings: DemandSettings, actor: string, priority?: number): Promise<void> {
    this.#deps.checkSettings(settings);
    const { live } = await this.#find(room);
    const before = await this.#deps.reach.store(() => this.#deps.store.demands.get(room));
    const theirs = live === null ? null : readMetadata(live.metadata).wish;
    const merged = definedOnly({
      ...settingsOf(theirs),
      ...(before?.wanted ? before.settings : {}),
      // What stood in for the old provider need not stand in for a new one.
      ...(settings.provider === undefined ? {} : { fallbacks: undefined }),
      ...definedOnly(settings),
    });
    await this.#put({
      room,
      wanted: true,
      source: 'api',
      settings: merged,
      priority: priority ?? before?.priority ?? 0,
      // A room that is not listed now has yet to begin, whatever was asked for the one before.
      roomSid: live?.sid ?? null,
    });
    await this.#audit(actor, 'start-transcription', room);
    if (live === null) return;
    const wish: MetadataWish = { enabled: true };
    if (merged.language !== undefined) wish.language = merged.language;
    if (merged.maxParticipants !== undefined) wish.maxParticipants = merged.maxParticipants;
    await this.#writeMetadata(live, wish);
  }

  /** Moves a wanted room in the queue. False when nobody wants it. */
  async setPriority(room: string, priority: number, actor: string): Promise<boolean> {
    const { store, reach } = this.#deps;
    if (!(await reach.store(() => store.demands.setPriority(room, priority)))) return false;
    await this.#audit(actor, 'set-priority', room);
    return true;
  }

  /** Records an API stop. False when nothing was wanted, so that there was nothing to stop. */
  async stop(room: string, actor: string, served: boolean): Promise<boolean> {
    const { live, isKnown } = await this.#find(room);
    const before = await this.#deps.reach.store(() => this.#deps.store.demands.get(room));
    const wouldStart = live !== null && (this.#deps.rooms === 'all' || this.#wishesIn(live));
    if (before?.wanted !== true && !served && !(before === null && wouldStart)) return false;
    // While LiveKit cannot tell, it counts for whichever incarnation is seen next.
    const roomSid = isKnown ? (live?.sid ?? before?.roomSid ?? null) : null;
    if (isKnown && roomSid === null && !served)
      await this.#deps.reach.store(() => this.#deps.store.demands.remove(room));
    else {
      const settings = before?.settings ?? {};
      await this.#put({
        room,
        wanted: false,
        source: 'api',
        settings,
        priority: before?.priority ?? 0,
        roomSid,
      });
    }
    await this.#audit(actor, 'stop-transcription', room);
    if (live !== null) await this.#writeMetadata(live, { enabled: false });
    return true;
  }

  /** Records a dispatch of LiveKit's own agent dispatch. */
  async wantByDispatch(room: string, roomSid: string, settings: DemandSettings): Promise<void> {
    this.#deps.checkSettings(settings);
    const before = await this.#deps.reach.store(() => this.#deps.store.demands.get(room));
    await this.#put({
      room,
      wanted: true,
      source: 'dispatch',
      settings: { ...(before?.wanted ? before.settings : {}), ...definedOnly(settings) },
      priority: before?.priority ?? 0,
      roomSid: roomSid === '' ? (before?.roomSid ?? null) : roomSid,
    });
  }

  /** The dispatch was deleted. A wish that came from elsewhere stays. */
  async withdrawDispatch(room: string): Promise<void> {
    const before = await this.#deps.reach.store(() => this.#deps.store.demands.get(room));
    if (before?.source === 'dispatch') await this.#drop(before);
  }

  #wishesIn(live: LiveRoom): boolean {
    return readMetadata(live.metadata).wish?.enabled === true;
  }

  async #bind(live: LiveRoom, demand: Demand | null): Promise<Demand | null> {
    if (demand === null || demand.roomSid !== null) return demand;
    await this.#deps.reach.store(() => this.#deps.store.demands.bind(live.name, live.sid));
    return { ...demand, roomSid: live.sid };
  }

  /**
   * Somebody said stop while LiveKit could not be asked, and what the metadata wants may well be older than that. So the
   * metadata are told now, unless somebody has started it again.
   */
  async #catchUp(live: LiveRoom): Promise<Demand | null> {
    const demand = await this.#deps.reach.store(() => this.#deps.store.demands.get(live.name));
    if (demand?.roomSid === live.sid && isStop(demand)) await this.#writeMetadata(live, { enabled: false });
    return demand;
  }

  async #foldMetadata(live: LiveRoom, demand: Demand | null): Promise<Demand | null> {
    const state = this.#deps.memory.of(live.name);
    const reading = readMetadata(live.metadata);
    const key = wishKey(reading.wish);
    const seen = state.wish?.roomSid === live.sid ? state.wish : null;
    if (seen?.stale?.key === key && key !== seen.key && this.#deps.clock.monotonicMs() < seen.stale.untilMs) {
      return demand;
    }
    const problemBefore = state.problem;
    state.problem = reading.problem;
    const wish = this.#supported(reading.wish, () => {
      state.problem = 'invalid language';
    });
    if (state.problem !== null && state.problem !== problemBefore) {
      this.#deps.logger.warn(
        { problem: state.problem, roomSid: live.sid },
        'room metadata is not as it should be',
      );
    }
    const seenKey = seen?.key === key ? wishKey(wish) : seen?.key;
    const { room, roomSid } = { room: live.name, roomSid: live.sid };
    const change = foldWish({ room, roomSid, demand, wish, seenKey, rooms: this.#deps.rooms });
    const result = await this.#apply(change, demand);
    // Remembered only now: neither a store that is away nor a quicker word must make us forget that this is news.
    if (result.isDone) state.wish = { roomSid: live.sid, key, stale: null };
    return result.demand;
  }

  async #apply(change: DemandChange, demand: Demand | null): Promise<Applied> {
    if (change.change === 'put') return this.#replace(demand, change.demand);
    if (change.change === 'remove' && demand !== null)
      return { isDone: true, demand: await this.#drop(demand) };
    return { isDone: true, demand };
  }

  /** Writes a wish that nobody said over the API. Whatever was said since `from` was read is a later word. */
  async #replace(from: Demand | null, demand: Omit<Demand, 'requestedAt'>): Promise<Applied> {
    const { store, reach } = this.#deps;
    const written = await reach.store(() => store.demands.replace(from, demand));
    if (written !== null) return { isDone: true, demand: written };
    return { isDone: false, demand: await reach.store(() => store.demands.get(demand.room)) };
  }

  /** The wish without a language that the speech provider does not know: captions in the default one beat none. */
  #supported(wish: MetadataWish | null, refused: () => void): MetadataWish | null {
    if (wish?.language === undefined) return wish;
    try {
      this.#deps.checkSettings({ language: wish.language });
      return wish;
    } catch (error) {
      if (!(error instanceof DialogLensError) || error.code !== 'unsupported_language') throw error;
      refused();
      const { language, ...rest } = wish;
      return rest;
    }
  }

  /** The room as LiveKit lists it. A wish is kept also while LiveKit cannot be asked, and nothing is known. */
  async #find(room: string): Promise<{ live: LiveRoom | null; isKnown: boolean }> {
    const ask = async () => {
      const found = await this.#deps.directory.listRooms([room]);
      return found.find((live) => live.name === room) ?? null;
    };
    try {
      // One answer without the room is no proof that there is none.
      return { live: (await ask()) ?? (await ask()), isKnown: true };
    } catch (error) {
      if (isTrouble('livekit', error)) return { live: null, isKnown: false };
      throw error;
    }
  }

  async #writeMetadata(live: LiveRoom, wish: MetadataWish): Promise<void> {
    const merged = mergeMetadata(live.metadata, wish);
    if (merged === null || merged === live.metadata) return;
    const state = this.#deps.memory.of(live.name);
    const before = this.#keyOf(live);
    const untilMs = this.#deps.clock.monotonicMs() + staleMetadataMs;
    const key = wishKey(readMetadata(merged).wish);
    state.wish = { roomSid: live.sid, key, stale: { key: before, untilMs } };
    try {
      await this.#deps.directory.updateMetadata(live.name, merged);
    } catch (error) {
      // The wish in the store is what counts; the metadata is a courtesy to others. `reach` has taken note.
      if (!isTrouble('livekit', error)) throw error;
      state.wish = { roomSid: live.sid, key: before, stale: null };
    }
  }

  #keyOf(live: LiveRoom): string {
    // Most rooms say nothing about us; parsing all of them at every poll would be waste.
    return live.metadata.includes('transcriptionEnabled') ? wishKey(readMetadata(live.metadata).wish) : '';
  }

  /** Who said the same in another way meanwhile means it still. */
  async #drop({ room, source }: Demand): Promise<Demand | null> {
    const { store, reach } = this.#deps;
    if (await reach.store(() => store.demands.remove(room, { source }))) return null;
    return reach.store(() => store.demands.get(room));
  }

  #put(demand: Omit<Demand, 'requestedAt'>): Promise<Demand> {
    return this.#deps.reach.store(() => this.#deps.store.demands.put(demand));
  }

  #audit(actor: string, action: string, target: string): Promise<void> {
    return this.#deps.reach.store(() => this.#deps.store.audit.append({ actor, action, target }));
  }
}

function settingsOf(wish: MetadataWish | null): DemandSettings {
  if (wish === null) return {};
  const { enabled, ...settings } = wish;
  return settings;
}

function definedOnly(
  settings: { [K in keyof DemandSettings]: DemandSettings[K] | undefined },
): DemandSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** Somebody said no, and not by metadata. */
function isStop({ source, wanted }: Demand): boolean {
  return source === 'api' && !wanted;
}
