import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import { prettyLine } from './pretty-log.ts';
import { redactFields } from './redact.ts';
import type { Logger } from './telemetry.ts';

export interface LoggerOptions {
  level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto` is `pretty` on a terminal and `json` elsewhere. */
  format: 'auto' | 'pretty' | 'json';
  /** Where lines go; standard error when left out, so that standard output is the program's answer alone. */
  write?: (line: string) => void;
}

/** Logs as JSON or for people. Fields that look like secrets or transcript are replaced before they are written. */
export function createLogger(options: LoggerOptions): Logger {
  const write = options.write ?? standardError();
  const isPretty =
    options.format === 'pretty' || (options.format === 'auto' && process.stderr.isTTY === true);
  const stream: DestinationStream = {
    write: (line) =>
      write(isPretty ? prettyLine(line, options.write === undefined && process.stderr.isTTY) : line),
  };
  return wrap(
    pino(
      {
        level: options.level,
        base: null,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { err: (described) => described },
      },
      stream,
    ),
  );
}

/** Carriage return, erase line: a progress line that stands there is drawn again below. */
const freshLine = '\r\x1b[2K';

/** Synchronous: the line that explains a crash must be out before the process is gone. */
function standardError(): (line: string) => void {
  const target = destination({ fd: 2, sync: true });
  const before = process.stderr.isTTY ? freshLine : '';
  return (line) => {
    target.write(`${before}${line}`);
  };
}

function wrap(logger: PinoLogger): Logger {
  return {
    debug: (fields, message) => logger.debug(redactFields(fields), message),
    info: (fields, message) => logger.info(redactFields(fields), message),
    warn: (fields, message) => logger.warn(redactFields(fields), message),
    error: (fields, message) => logger.error(redactFields(fields), message),
    child: (fields) => wrap(logger.child(redactFields(fields))),
  };
}
