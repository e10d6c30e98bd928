import type { CaptionsView, DemandSettings } from '@dialoglens/protocol';
import type { RoomAgent, RoomAgentHost } from '../agent/room-agent.ts';
import type { Assignment, TrackMark } from '../registry/agent-registry.ts';

type Step = 'start' | 'promote' | 'handOver' | 'stop';

/** An agent without media: remembers what its worker does with it, and does each step when the test lets it. */
export class FakeRoomAgent implements RoomAgent {
  readonly assignment: Assignment;
  readonly host: RoomAgentHost;
  tracks = 1;
  speaking: string[] = [];
  captions: CaptionsView = { state: 'ok', reason: 'ok' };
  /** What the worker asked for, in order. */
  readonly calls: string[] = [];
  /** Steps that fail, and with what. */
  readonly failures = new Map<Step, Error>();
  /** Steps that wait until they are taken out, and `release` was called. */
  readonly held = new Set<Step>();
  /** What the tracks sounded like where it stopped, and what the one before it says of that. */
  marks: TrackMark[] = [];
  toldMarks: readonly TrackMark[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(assignment: Assignment, host: RoomAgentHost) {
    this.assignment = assignment;
    this.host = host;
  }

  start = () => this.#step('start');
  stop = (reason: string) => this.#step('stop', reason);

  promote(marks: readonly TrackMark[]): Promise<void> {
    this.toldMarks = marks;
    return this.#step('promote');
  }

  async handOver(): Promise<TrackMark[]> {
    await this.#step('handOver');
    return this.marks;
  }

  async abandon(reason: string): Promise<void> {
    this.calls.push(`abandon: ${reason}`);
  }

  configure(settings: DemandSettings): void {
    this.calls.push(`configure: ${settings.language ?? ''}`);
  }

  goOn(): void {
    this.calls.push('goOn');
  }

  resume(): void {
    this.calls.push('resume');
  }

  /** Lets steps that wait go on. */
  release(): void {
    this.held.clear();
    for (const go of this.#waiting.splice(0)) go();
  }

  async #step(step: Step, detail?: string): Promise<void> {
    this.calls.push(detail === undefined ? step : `${step}: ${detail}`);
    if (this.held.has(step)) await new Promise<void>((go) => this.#waiting.push(go));
    const failure = this.failures.get(step);
    if (failure) throw failure;
  }
}
