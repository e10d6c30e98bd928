/**
 * Ports for logs and metrics. The rest of the program sees these; `pino-logger.ts` and `metrics.ts` implement them.
 * Fields never hold transcript text, participant names or secrets.
 */
export interface Logger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
  child(fields: Record<string, unknown>): Logger;
}

const quiet = () => undefined;
/** Says nothing; for tests and for parts that are used as a library. */
export const silentLogger: Logger = {
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  child: () => silentLogger,
};
