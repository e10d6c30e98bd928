import { describe, expect, it } from 'vitest';
import { createLogger, type LoggerOptions } from './pino-logger.ts';
import { redacted } from './redact.ts';

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const logger = createLogger({
    level: 'debug',
    format: 'json',
    write: (line) => lines.push(line),
    ...options,
  });
  return { lines, logger };
}

describe('createLogger', () => {
  it('writes one JSON line with level, time and fields', () => {
    const { lines, logger } = capture();
    logger.child({ part: 'api' }).info({ port: 3010 }, 'listening');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      part: 'api',
      port: 3010,
      msg: 'listening',
    });
  });

  it('keeps quiet below its level', () => {
    const { lines, logger } = capture({ level: 'warn' });
    logger.info({}, 'no');
    logger.warn({}, 'yes');
    expect(lines).toHaveLength(1);
    const silent = capture({ level: 'silent' });
    silent.logger.error({}, 'no');
    expect(silent.lines).toHaveLength(0);
  });

  it('lets no secret and no spoken word through', () => {
    const { lines, logger } = capture();
    logger.child({ apiSecret: 'hush' }).error(
      {
        livekit: { api_key: 'hush', deep: [{ Authorization: 'Bearer hush' }] },
        text: 'hush',
        identity: 'hush',
        url: 'postgres://me:hush@db/x',
        jwt: 'with eyJhbGciOi.eyJodXNo.aHVzaA- inside',
        err: new Error('connect to redis://:hush@cache failed', { cause: { password: 'hush' } }),
        room: 'standup',
      },
      'failed',
    );
    expect(lines.join()).not.toContain('hush');
    expect(lines.join()).not.toContain('eyJodXNo');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      room: 'standup',
      text: redacted,
      err: { type: 'Error' },
    });
  });

  it('survives fields that go round in circles', () => {
    const { lines, logger } = capture();
    const round: Record<string, unknown> = {};
    round.self = round;
    logger.info({ round }, 'still here');
    expect(lines[0]).toContain('still here');
  });

  it('writes for people on request', () => {
    const { lines, logger } = capture({ format: 'pretty' });
    logger.warn({ room: 'standup', err: new Error('it broke') }, 'trouble');
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d warn {2}trouble room=standup\n {4}Error: it broke\n/);
  });
});
