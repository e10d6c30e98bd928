/**
 * Does `work`, whose signal aborts after `limitMs`. The timer keeps the process alive, as that of `AbortSignal.timeout`
 * does not: a server that accepts and hangs up leaves Node 20's fetch waiting with nothing else that would, and the
 * program ended in the middle (exit code 13).
 */
export async function withinLimit<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timeout = () => limit.abort(new DOMException(`no answer within ${limitMs} ms`, 'TimeoutError'));
  const timer = setTimeout(timeout, limitMs);
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
  }
}
