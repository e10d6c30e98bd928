import { afterEach, describe, expect, it, vi } from 'vitest';
import { RollingSession } from './rolling-session.ts';
import type { SttEvent, SttSession } from './stt.ts';

/** A session that does what the test says. */
class PuppetSession implements SttSession {
  readonly calls: string[] = [];
  emit: (event: SttEvent) => void = () => undefined;
  end: () => void = () => undefined;
  readonly #done = new Promise<void>((resolve) => {
    this.end = resolve;
  });

  write(_pcm: Int16Array, firstSample: number): void {
    this.calls.push(`write ${firstSample}`);
  }
  flush(): void {
    this.calls.push('flush');
  }
  finish(): Promise<void> {
    this.calls.push('finish');
    return this.#done;
  }
  close(): void {
    this.calls.push('close');
    this.end();
  }
}

const heard: string[] = [];
afterEach(() => {
  heard.length = 0;
});

function opening(name: string, startSample: number) {
  const session = new PuppetSession();
  const open = (onEvent: (event: SttEvent) => void) => {
    session.emit = onEvent;
    return session;
  };
  const onEvent = (event: SttEvent) => {
    const lost = event.type === 'fault' ? ` ${event.lost?.startSample}-${event.lost?.endSample}` : '';
    heard.push(
      `${name}: ${event.type === 'partial' || event.type === 'final' ? event.text : event.type}${lost}`,
    );
  };
  return { session, startSample, open, onEvent };
}

const partial = (text: string): SttEvent => ({
  type: 'partial',
  text,
  startSample: 0,
  endSample: 1,
  stableLength: 0,
});
const final = (text: string, endSample: number): SttEvent => ({
  type: 'final',
  text,
  startSample: endSample - 1,
  endSample,
});
const pcm = new Int16Array(16);

describe('RollingSession', () => {
  it('sends audio to the newest session and keeps the order of what is said', async () => {
    const [one, two, three] = [opening('one', 0), opening('two', 100), opening('three', 200)];
    const rolling = new RollingSession(one);
    rolling.write(pcm, 84, true);
    rolling.rollOver(two);
    rolling.write(pcm, 100, true);
    rolling.rollOver(three);
    rolling.write(pcm, 200, true);
    expect([one, two, three].map(({ session }) => session.calls)).toEqual([
      ['write 84', 'finish'],
      ['write 100', 'finish'],
      ['write 200'],
    ]);
    three.session.emit(final('3', 210));
    two.session.emit(partial('2 par'));
    two.session.emit(partial('2 partial'));
    two.session.emit(final('2', 150));
    two.session.end();
    one.session.emit(final('1', 90));
    expect(heard).toEqual(['one: 1']);
    one.session.end();
    await vi.waitFor(() => expect(heard).toHaveLength(4));
    three.session.emit(final('3b', 220));
    expect(heard).toEqual(['one: 1', 'two: 2 partial', 'two: 2', 'three: 3', 'three: 3b']);
    expect(one.session.calls.at(-1)).toBe('close');
    rolling.close();
  });

  it('is finished when every session has said its last word, and says nothing after', async () => {
    const [one, two] = [opening('one', 0), opening('two', 100)];
    const rolling = new RollingSession(one);
    rolling.rollOver(two);
    const finished = vi.fn();
    const finishing = rolling.finish().then(finished);
    two.session.emit(final('2', 110));
    two.session.end();
    await two.session.finish();
    expect(finished).not.toHaveBeenCalled();
    one.session.emit(final('1', 90));
    one.session.end();
    await finishing;
    expect(heard).toEqual(['one: 1', 'two: 2']);
    two.session.emit(final('late', 120));
    expect(heard).toHaveLength(2);
  });

  it('does not wait for ever: what was not said in time is lost by name, and the next one speaks', async () => {
    const [one, two] = [opening('one', 0), opening('two', 100)];
    const rolling = new RollingSession(one, { finishWithinMs: 10 });
    one.session.emit(final('1', 60));
    rolling.rollOver(two);
    two.session.emit(final('2', 110));
    await vi.waitFor(() => expect(heard).toContain('two: 2'));
    expect(heard).toEqual(['one: 1', 'one: fault 60-100', 'two: 2']);
    expect(one.session.calls.at(-1)).toBe('close');
    rolling.close();
  });

  it('keeps the old session when the new one cannot be opened', () => {
    const one = opening('one', 0);
    const rolling = new RollingSession(one);
    const broken = () => {
      throw new Error('no such language');
    };
    expect(() => rolling.rollOver({ ...opening('two', 100), open: broken })).toThrow('no such language');
    rolling.write(pcm, 100, true);
    rolling.flush();
    one.session.emit(partial('still'));
    expect(one.session.calls).toEqual(['write 100', 'flush']);
    expect(heard).toEqual(['one: still']);
    rolling.close();
  });

  it('closes every session at once, also those that are still finishing', async () => {
    const [one, two] = [opening('one', 0), opening('two', 100)];
    const rolling = new RollingSession(one);
    rolling.rollOver(two);
    const finishing = rolling.finish();
    rolling.close();
    rolling.close();
    await finishing;
    expect(one.session.calls).toContain('close');
    expect(two.session.calls).toContain('close');
    two.session.emit(final('2', 110));
    expect(heard).toEqual([]);
    rolling.rollOver(opening('three', 200));
    await rolling.finish();
  });
});
