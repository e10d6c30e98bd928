import { describe, expect, it } from 'vitest';
import { noMetrics } from '../../observability/metric-table.ts';
import { silentLogger } from '../../observability/telemetry.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { type Script, type ScriptedFault, sayAt } from '../providers/scripted/script.ts';
import { ScriptedProvider } from '../providers/scripted/scripted-provider.ts';
import type { SttEvent, SttFinal, SttOpenOptions, SttSession } from '../stt.ts';
import { type GateOptions, ProviderGate } from './provider-gate.ts';
import type { SupervisorSettings } from './supervisor-settings.ts';
import { TrackSupervisor } from './track-supervisor.ts';

const window = 512;
const windowMs = 32;

/** A provider that counts what it is sent, and can be out of reach for a while. */
class WatchedProvider extends ScriptedProvider {
  readonly openedAtMs: number[] = [];
  sentMs = 0;
  isAway = false;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock, script: Script) {
    super(script);
    this.#clock = clock;
  }

  override open(options: SttOpenOptions, onEvent: (event: SttEvent) => void) {
    this.openedAtMs.push(this.#clock.monotonicMs());
    const session = super.open(options, onEvent);
    const write = session.write.bind(session);
    session.write = (pcm, firstSample, speech) => {
      if (this.isAway) return onEvent({ type: 'fault', kind: 'transient', message: 'away' });
      this.sentMs += pcm.length / 16;
      write(pcm, firstSample, speech);
    };
    return session;
  }
}

class Bench {
  readonly clock = new ManualClock();
  readonly events: SttEvent[] = [];
  readonly words: { text: string; startMs: number; endMs: number }[];
  #atMs = 0;
  session: SttSession | null = null;

  constructor(words: ReturnType<typeof sayAt>) {
    this.words = words;
  }

  provider(script: Partial<Script> = {}): WatchedProvider {
    return new WatchedProvider(this.clock, { words: this.words, ...script });
  }

  gate(provider: ScriptedProvider, more: Partial<GateOptions> = {}): ProviderGate {
    return new ProviderGate({ provider, clock: this.clock, random: () => 0.5, ...more });
  }

  open(gates: ProviderGate[], settings: Partial<SupervisorSettings> = {}): void {
    this.session = new TrackSupervisor({
      gates,
      open: {
        trackId: 't',
        room: 'r',
        language: 'en',
        hints: [],
        startSample: 0,
        wantPartials: true,
        wantWords: true,
      },
      onEvent: (event) => this.events.push(event),
      onClosed: () => undefined,
      clock: this.clock,
      scheduler: this.clock,
      random: () => 0.5,
      metrics: noMetrics,
      logger: silentLogger,
      settings,
    });
  }

  /** Speaks the script up to this moment of the track. */
  async until(ms: number): Promise<void> {
    for (; this.#atMs < ms; this.#atMs += windowMs) {
      const speech = this.words.some(
        (word) => word.startMs < this.#atMs + windowMs && word.endMs > this.#atMs,
      );
      this.clock.step(windowMs);
      this.session?.write(new Int16Array(window), this.#atMs * 16, speech);
      for (let i = 0; i < 4; i++) await null;
    }
  }

  get finals(): SttFinal[] {
    return this.events.filter((event) => event.type === 'final');
  }

  /** Everything said, in the order of the track. */
  get text(): string {
    const inOrder = this.finals.toSorted((a, b) => a.startSample - b.startSample);
    return inOrder
      .map((final) => final.text)
      .join(' ')
      .trim();
  }

  get lost(): { startSample: number; endSample: number; reason?: string }[] {
    return this.events.flatMap((event) => (event.type === 'fault' && event.lost ? [event.lost] : []));
  }

  get health(): string[] {
    return this.events.flatMap((event) => (event.type === 'health' ? [event.state] : []));
  }
}

/** Numbers said one after the other, four a second and a pause after every fifth. */
function numbers(count: number, startMs = 500) {
  return Array.from({ length: count }, (_, i) => {
    const at = startMs + i * 250 + Math.floor(i / 5) * 1_000;
    return { text: `n${i}`, startMs: at, endMs: at + 250 };
  });
}
const allOf = (words: { text: string }[]) => words.map((word) => word.text).join(' ');
const bytesOf = (ms: number) => ms * 16 * 2;
const dropsAt = (...atMs: number[]): ScriptedFault[] => atMs.map((at) => ({ atMs: at, kind: 'transient' }));

describe('the speech supervisor', () => {
  it('loses and doubles nothing when the stream drops in the middle of a word, and goes on live at once', async () => {
    const bench = new Bench(numbers(60));
    const provider = bench.provider({ faults: dropsAt(5_100, 12_345), capabilities: { replayRate: 2 } });
    bench.open([bench.gate(provider)]);
    await bench.until(40_000);
    expect(bench.text).toBe(allOf(bench.words));
    expect(bench.lost).toEqual([]);
    // Two drops, each replays one utterance and the overlap.
    expect(provider.sentMs).toBeLessThan(40_000 + 2 * 4_500);
  });

  it('rolls a stream over before the provider ends it, at a pause, without a hole', async () => {
    const bench = new Bench(numbers(120));
    const faults: ScriptedFault[] = [];
    const provider = bench.provider({ faults, capabilities: { maxSessionMs: 10_000, replayRate: 2 } });
    bench.open([bench.gate(provider)]);
    await bench.until(60_000);
    expect(bench.text).toBe(allOf(bench.words));
    expect(provider.openedAtMs.length).toBeGreaterThanOrEqual(5);
    const lives = provider.openedAtMs.map((at, i) => (provider.openedAtMs[i + 1] ?? 60_000) - at);
    expect(Math.max(...lives)).toBeLessThan(10_000);
    // A pre-roll of 300 ms for each of these short streams.
    expect(provider.sentMs).toBeLessThan(60_000 * 1.05);
  });

  it('rolls over when the provider announces the end', async () => {
    const bench = new Bench(numbers(40));
    const faults: ScriptedFault[] = [{ atMs: 6_000, kind: 'closing', deadlineMs: 4_000 }, ...dropsAt(10_000)];
    const provider = bench.provider({ faults });
    bench.open([bench.gate(provider)]);
    await bench.until(9_000);
    expect(provider.openedAtMs).toHaveLength(2);
    await bench.until(25_000);
    expect(bench.text).toBe(allOf(bench.words));
  });

  it('loses nothing in an outage of a minute', async () => {
    const bench = new Bench(numbers(200));
    const provider = bench.provider({ capabilities: { replayRate: 4 } });
    bench.open([bench.gate(provider)]);
    await bench.until(10_000);
    provider.isAway = true;
    await bench.until(69_000);
    provider.isAway = false;
    await bench.until(100_000);
    expect(bench.lost).toEqual([]);
    const said = bench.text.split(' ');
    expect(said).toEqual(bench.words.slice(0, said.length).map((word) => word.text));
    expect(bench.health).toEqual(expect.arrayContaining(['down', 'ok']));
  });

  it('reports speech that left the ring during a long outage as lost, and nothing else', async () => {
    const bench = new Bench(numbers(400));
    const provider = bench.provider({ capabilities: { replayRate: 4 } });
    bench.open([bench.gate(provider)], { ringMs: 20_000 });
    await bench.until(10_000);
    provider.isAway = true;
    await bench.until(100_000);
    provider.isAway = false;
    await bench.until(150_000);
    const said = new Set(bench.text.split(' '));
    for (const word of bench.words.filter(({ endMs }) => endMs < 145_000)) {
      const middle = ((word.startMs + word.endMs) / 2) * 16;
      const isLost = bench.lost.some((gap) => gap.startSample <= middle && middle < gap.endSample);
      expect(said.has(word.text), word.text).toBe(!isLost);
    }
    expect(bench.lost.every((gap) => gap.reason === 'provider')).toBe(true);
    expect(Math.min(...bench.lost.map((gap) => gap.startSample))).toBeGreaterThan(9_000 * 16);
    expect(Math.max(...bench.lost.map((gap) => gap.endSample))).toBeLessThan(90_000 * 16);
  });

  it('tells the exact bounds of what three minutes without any provider cost, and is back within seconds', async () => {
    const bench = new Bench(numbers(800));
    const provider = bench.provider({ capabilities: { replayRate: 4 } });
    bench.open([bench.gate(provider)]);
    await bench.until(10_000);
    provider.isAway = true;
    await bench.until(190_000);
    provider.isAway = false;
    await bench.until(250_000);
    const said = new Set(bench.text.split(' '));
    for (const word of bench.words.filter(({ endMs }) => endMs < 240_000)) {
      const middle = ((word.startMs + word.endMs) / 2) * 16;
      const isLost = bench.lost.some((gap) => gap.startSample <= middle && middle < gap.endSample);
      expect(said.has(word.text), word.text).toBe(!isLost);
    }
    const [from, to] = [bench.lost.at(0)?.startSample ?? 0, bench.lost.at(-1)?.endSample ?? 0];
    // The last 75 s before the return are sent again: only what is older is lost.
    expect(from / 16).toBeGreaterThan(9_000);
    expect(to / 16).toBeLessThan(190_000 - 70_000);
    const away = provider.openedAtMs.filter((ms) => ms > 10_000 && ms < 190_000);
    expect(away.length).toBeLessThan(180);
    expect(provider.openedAtMs.find((ms) => ms >= 190_000)).toBeLessThan(196_000);
    // Attempts in between that came to nothing are no change.
    expect(bench.health.filter((state, i, all) => state !== all[i - 1])).toEqual(['down', 'ok']);
  });

  it('tells why nobody takes the audio, and when a provider is asked again', async () => {
    const bench = new Bench(numbers(60));
    const provider = bench.provider();
    bench.open([bench.gate(provider)]);
    await bench.until(5_000);
    provider.isAway = true;
    await bench.until(20_000);
    const told = bench.events.filter((event) => event.type === 'health');
    expect(told.at(-1)).toMatchObject({ state: 'down', reason: 'provider failing' });
    const waits = told.map((event) => event.retryInMs ?? 0);
    // As the pauses of the breaker grow.
    expect(Math.max(...waits)).toBeGreaterThan(2_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(5_000 * 1.2);
  });

  it('falls back to the next provider when the first refuses, and returns when that one is well again', async () => {
    const bench = new Bench(numbers(200));
    const faults: ScriptedFault[] = [{ atMs: 4_000, kind: 'quota', times: 3 }];
    const cloud = bench.provider({ name: 'cloud', faults });
    const floor = bench.provider({ name: 'floor' });
    bench.open([bench.gate(cloud), bench.gate(floor)]);
    await bench.until(90_000);
    expect(floor.openedAtMs.length).toBeGreaterThan(0);
    expect(cloud.openSessions).toBe(1);
    expect(floor.openSessions).toBe(0);
    expect(bench.lost).toEqual([]);
    await bench.session?.finish();
    expect(bench.text).toBe(allOf(bench.words.filter(({ endMs }) => endMs <= 90_000)));
  });

  it('notices an engine that went deaf and sends the audio again', async () => {
    const bench = new Bench(sayAt(500, allOf(numbers(80)), 300));
    const provider = bench.provider({ faults: [{ atMs: 6_000, kind: 'silence' }], finalDelayMs: 100 });
    bench.open([bench.gate(provider)]);
    await bench.until(26_000);
    await bench.session?.finish();
    expect(provider.openedAtMs.length).toBe(2);
    expect(bench.text).toBe(allOf(bench.words));
  });

  it('gives an engine time to answer a long replay that was sent at once', async () => {
    const bench = new Bench(numbers(60));
    const provider = bench.provider();
    bench.open([bench.gate(provider)]);
    await bench.until(3_000);
    provider.isAway = true;
    await bench.until(25_000);
    provider.isAway = false;
    await bench.until(40_000);
    expect(bench.text).toBe(allOf(bench.words));
    expect(bench.lost).toEqual([]);
  });

  it('pays for no silence: closes the stream in a long pause and catches the first word after it', async () => {
    const words = [...sayAt(1_000, 'before the break'), ...sayAt(120_000, 'after the break')];
    const bench = new Bench(words);
    const provider = bench.provider({ capabilities: { parkAfterSilenceMs: 5_000 } });
    bench.open([bench.gate(provider)]);
    await bench.until(125_000);
    expect(bench.text).toBe('before the break after the break');
    expect(provider.sentMs).toBeLessThan(20_000);
    expect(provider.openedAtMs).toHaveLength(2);
  });

  it('shows no text where nobody spoke, and asks another provider about text that cannot be', async () => {
    const bench = new Bench(sayAt(1_000, 'yes that is fine by me', 300));
    const stuck = allOf(Array.from({ length: 12 }, () => ({ text: 'the' })));
    const wild = bench.provider({
      name: 'wild',
      words: [...sayAt(1_000, stuck, 150), ...sayAt(9_000, 'thank you')],
    });
    const sober = bench.provider({ name: 'sober' });
    bench.open([bench.gate(wild), bench.gate(sober)]);
    await bench.until(14_000);
    expect(bench.text).toBe('yes that is fine by me');
  });

  it('takes the track whose language a provider does not know to the next one, and trusts it with others', async () => {
    const bench = new Bench(numbers(60));
    const faults: ScriptedFault[] = [{ atMs: 600, kind: 'language' }];
    const ignorant = bench.provider({ name: 'ignorant', faults });
    const gate = bench.gate(ignorant);
    const next = bench.provider({ name: 'next' });
    bench.open([gate, bench.gate(next)]);
    await bench.until(60_000);
    expect(bench.text).toBe(allOf(bench.words));
    expect(ignorant.openedAtMs).toHaveLength(1);
    expect(next.openedAtMs).toHaveLength(1);
    expect(gate.state).toBe('closed');
  });

  it('refuses a language that no provider knows in so many words, and asks no more', async () => {
    const bench = new Bench(numbers(60));
    const provider = bench.provider({ faults: [{ atMs: 600, kind: 'language' }] });
    const gate = bench.gate(provider);
    bench.open([gate]);
    await bench.until(30_000);
    const told = bench.events.filter((event) => event.type === 'health');
    expect(told).toEqual([{ type: 'health', state: 'down', reason: 'language not supported' }]);
    expect(provider.openedAtMs).toHaveLength(1);
    expect(gate.state).toBe('closed');
    expect(bench.lost.length).toBeGreaterThan(0);
  });

  it('stops at the spend limit of a room, also in the middle of a speech, and says so', async () => {
    const bench = new Bench(numbers(300));
    const spend = budgetOf(20_000);
    bench.open([bench.gate(bench.provider(), { spend })], { ringMs: 5_000 });
    await bench.until(80_000);
    expect(bench.events.findLast((event) => event.type === 'health')).toEqual({
      type: 'health',
      state: 'down',
      reason: 'spend limit',
    });
    expect(bench.lost.every((gap) => gap.reason === 'spend_limit')).toBe(true);
    expect(bench.lost.length).toBeGreaterThan(0);
    expect(spend.leftMs()).toBeGreaterThan(-2_000);
  });

  it('goes on with a provider that costs nothing when the room may spend no more', async () => {
    const bench = new Bench(numbers(120));
    const [paid, free] = [bench.provider({ name: 'paid' }), bench.provider({ name: 'free' })];
    bench.open([bench.gate(paid, { spend: budgetOf(20_000) }), bench.gate(free)]);
    await bench.until(60_000);
    await bench.session?.finish();
    expect(bench.text).toBe(bench.words.map((word) => word.text).join(' '));
    expect(bench.lost).toEqual([]);
    expect(paid.sentMs).toBeLessThan(25_000);
    expect(free.sentMs).toBeGreaterThan(10_000);
  });

  it('takes one broken network for one fault, however many streams it breaks: nobody has to wait', () => {
    const { clock, provider, tracks, write } = crowd(12, { opensPerSecond: 100 });
    write(0, 3_008);
    provider.isAway = true;
    write(3_008, 3_040);
    provider.isAway = false;
    const back = clock.monotonicMs();
    write(3_040, 5_024);
    const again = provider.openedAtMs.filter((ms) => ms > back);
    expect(again).toHaveLength(12);
    // Their own pause after two attempts, half a second with this luck, and none for the provider.
    expect(Math.max(...again)).toBeLessThanOrEqual(back + 500);
    for (const track of tracks) track?.close();
  });

  it('lets those who wait ask again soon while one of them tries whether the provider is back', () => {
    const clock = new ManualClock();
    const gate = new ProviderGate({
      provider: new WatchedProvider(clock, { words: [] }),
      clock,
      random: () => 1,
    });
    for (let i = 0; i < 3; i++) {
      const admission = gate.admit();
      if (admission.granted) admission.permit.failed('transient');
      clock.step(100);
    }
    const refused = gate.admit();
    expect(refused).toMatchObject({ granted: false, retryAtMs: 200 + 500 });
    clock.step(500);
    const probe = gate.admit();
    expect(gate.admit()).toMatchObject({ granted: false, retryAtMs: clock.monotonicMs() + 250 });
    if (probe.granted) probe.permit.heard();
    expect(gate.admit().granted).toBe(true);
  });

  it('comes back without a stampede after everything was down', async () => {
    const { clock, provider, tracks, write } = crowd(40, { opensPerSecond: 5 });
    write(0, 3_008);
    provider.isAway = true;
    write(3_008, 20_000);
    provider.isAway = false;
    const back = clock.monotonicMs();
    write(20_000, 45_024);
    const perSecond = new Map<number, number>();
    for (const at of provider.openedAtMs.filter((ms) => ms >= back)) {
      const second = Math.floor(at / 1_000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
    // The bucket holds one second's worth, so two neighbouring seconds may share what was saved.
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(10);
    expect(provider.openSessions).toBeGreaterThanOrEqual(40);
    for (const track of tracks) track?.close();
    expect(provider.openSessions).toBe(0);
  });

  it('holds on to audio without text, and to little else', async () => {
    const bench = new Bench([...sayAt(1_000, 'before the break'), ...numbers(60, 100_000)]);
    const provider = bench.provider();
    bench.open([bench.gate(provider)]);
    const session = bench.session as TrackSupervisor;
    await bench.until(99_000);
    expect(session.ringBytes).toBeLessThanOrEqual(bytesOf(12_000));
    provider.isAway = true;
    await bench.until(120_000);
    expect(session.ringBytes).toBeGreaterThanOrEqual(bytesOf(18_000));
    provider.isAway = false;
    await bench.until(160_000);
    expect(bench.text).toBe(allOf(bench.words));
    expect(bench.lost).toEqual([]);
  });

  it('keeps its memory over ten minutes of drops', async () => {
    const bench = new Bench(numbers(2_000));
    const drops = dropsAt(...Array.from({ length: 100 }, (_, i) => 3_000 + i * 6_000));
    const provider = bench.provider({ faults: drops, capabilities: { replayRate: 4 } });
    bench.open([bench.gate(provider)]);
    const session = bench.session as TrackSupervisor;
    await bench.until(600_000);
    expect(session.ringBytes).toBeLessThanOrEqual(bytesOf(15_000));
    expect(bench.lost).toEqual([]);
    expect(session.decidedTo()).toBeGreaterThan(590_000 * 16);
  }, 120_000);
});

/** Many tracks over one provider, in which somebody speaks all the time. */
function crowd(count: number, gateOptions: Partial<GateOptions>) {
  const clock = new ManualClock();
  const words = numbers(600);
  const provider = new WatchedProvider(clock, { words });
  const gate = new ProviderGate({ provider, clock, random: Math.random, ...gateOptions });
  const tracks = Array.from({ length: count }, () => {
    const bench = new Bench(words);
    Object.assign(bench, { clock });
    bench.open([gate]);
    return bench.session;
  });
  const write = (fromMs: number, toMs: number) => {
    for (let ms = fromMs; ms < toMs; ms += windowMs) {
      clock.step(windowMs);
      for (const track of tracks) track?.write(new Int16Array(window), ms * 16, true);
    }
  };
  return { clock, provider, tracks, write };
}

/** What a room may spend, in ms of audio. */
function budgetOf(ms: number) {
  let left = ms;
  return {
    leftMs: () => left,
    allows: () => left > 0,
    charge: (_room: string | undefined, audioMs: number) => {
      left -= audioMs;
    },
  };
}
