import { describe, expect, it } from 'vitest';
import { DialogLensError } from '../errors.ts';
import { recordingLogger } from '../testing/recording-logger.ts';
import { untilReachable } from './until-reachable.ts';

const away = () => new DialogLensError('store_unavailable', 'No answer.', { remedy: 'Start it.' });

describe('untilReachable', () => {
  it('tries on while a server is away, says so each time, and goes on when it is there', async () => {
    const { logger, lines } = recordingLogger();
    let calls = 0;
    const start = async () => {
      if (++calls < 4) throw away();
    };
    await untilReachable('store', start, { signal: new AbortController().signal, logger, firstMs: 1 });
    expect(calls).toBe(4);
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn', 'info']);
    expect(lines[0]).toMatchObject({
      message: 'No answer. Trying again.',
      fields: { part: 'store', code: 'store_unavailable', remedy: 'Start it.' },
    });
    const pauses = lines.slice(0, 3).map(({ fields }) => Number(fields.inMs));
    expect(pauses.every((pause) => pause <= 10_000)).toBe(true);
  });

  it('tells at once what waiting does not change', async () => {
    const { logger, lines } = recordingLogger();
    const refused = new DialogLensError('store_login_refused', 'Wrong password.');
    const start = () => Promise.reject(refused);
    const patience = { signal: new AbortController().signal, logger };
    await expect(untilReachable('store', start, patience)).rejects.toBe(refused);
    expect(lines).toEqual([]);
  });

  it('ends when it is told to, also in the middle of a pause', async () => {
    const { logger } = recordingLogger();
    const stop = new AbortController();
    const reason = new DialogLensError('shutting_down', 'Stopped.');
    const start = async () => {
      // The pause that follows would last half a minute.
      setImmediate(() => stop.abort(reason));
      throw away();
    };
    const waiting = untilReachable('store', start, { signal: stop.signal, logger, firstMs: 30_000 });
    await expect(waiting).rejects.toBe(reason);
  });
});
