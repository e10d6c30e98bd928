import { EventEmitter } from 'node:events';
import type { LiveEvent } from '@dialoglens/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeSegment } from '../testing/fake-api-ports.ts';
import { endSeq, Viewer } from './viewer.ts';

/** A response whose socket is full or not, as the test says. */
class FakeResponse extends EventEmitter {
  full = false;
  destroyed = false;
  writableEnded = false;
  readonly written: string[] = [];
  write(text: string): boolean {
    this.written.push(text);
    return !this.full;
  }
  end(text: string): void {
    this.written.push(text);
    this.writableEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
  drain(): void {
    this.full = false;
    this.emit('drain');
  }
}

let response: FakeResponse;
let viewer: Viewer<LiveEvent>;
let shed: number;

beforeEach(() => {
  vi.useFakeTimers();
  response = new FakeResponse();
  shed = 0;
  viewer = new Viewer<LiveEvent>(response, {
    farewell: (reason) => ({ type: 'resync', sessionId: 'ses_1', reason }),
    isSheddable: (event) => event.type === 'segment' && !event.segment.isFinal,
    heartbeatMs: 15_000,
    onShed: () => shed++,
  });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const caption = (n: number, isFinal: boolean): { seq: number; event: LiveEvent } => ({
  seq: n,
  event: { type: 'segment', segment: fakeSegment({ id: `seg_${n}`, sessionId: 'ses_1', isFinal }) },
});
const ids = () => response.written.flatMap((text) => /^id: (\d+)/.exec(text)?.[1] ?? []).map(Number);

describe('Viewer', () => {
  test('holds finals and sheds partials until history is out', () => {
    viewer.push(caption(1, true));
    viewer.push(caption(2, false));
    viewer.write('history');
    expect(response.written).toEqual(['history']);
    viewer.release();
    viewer.push(caption(3, false));
    expect(ids()).toEqual([1, 3]);
    expect(shed).toBe(1);
    response.destroy();
  });

  test('a full socket sheds partials, keeps finals in order and goes on when it drains', () => {
    viewer.release();
    response.full = true;
    viewer.push(caption(1, true));
    viewer.push(caption(2, false));
    viewer.push(caption(3, true));
    viewer.push(caption(4, true));
    expect(ids()).toEqual([1]);
    response.drain();
    expect(ids()).toEqual([1, 3, 4]);
    expect(shed).toBe(1);
    response.destroy();
  });

  test('a reader that lets 200 finals wait is told and sent away, and then cut', () => {
    viewer.release();
    response.full = true;
    for (let n = 0; n <= 201; n++) viewer.push(caption(n, true));
    expect(response.writableEnded).toBe(true);
    expect(response.written.at(-1)).toContain('viewer too slow');
    viewer.push(caption(999, true));
    expect(ids()).toEqual([0]);
    vi.advanceTimersByTime(2_000);
    expect(response.destroyed).toBe(true);
  });

  test('beats while idle; a reader that stays full for two beats is sent away', () => {
    viewer.release();
    vi.advanceTimersByTime(30_000);
    expect(response.written).toEqual([': beat\n\n', ': beat\n\n']);
    response.full = true;
    vi.advanceTimersByTime(15_000);
    expect(response.written).toHaveLength(3);
    vi.advanceTimersByTime(30_000);
    expect(response.written.at(-1)).toContain('event: resync');
    expect(response.written).toHaveLength(4);
    vi.advanceTimersByTime(2_000);
    expect(response.destroyed).toBe(true);
  });

  test('the end of the session is the last thing written', () => {
    viewer.release();
    viewer.push({
      seq: endSeq,
      event: {
        type: 'session',
        sessionId: 'ses_1',
        room: 'standup',
        status: 'ended',
        reason: 'room finished',
      },
    });
    viewer.push(caption(7, true));
    viewer.dismiss('too late');
    expect(ids()).toEqual([endSeq]);
    expect(response.writableEnded).toBe(true);
    response.destroy();
  });

  test('a reader that leaves leaves no timer', () => {
    viewer.release();
    response.destroy();
    viewer.push(caption(1, true));
    viewer.dismiss('nobody there');
    expect(response.written).toEqual([]);
  });
});
