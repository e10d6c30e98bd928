import type { Problem } from '../api.ts';

/**
 * What the server said when it did not do what it was asked. `status` 0: it could not be reached, or was asked for
 * something that cannot be sent.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem | null;

  constructor(status: number, problem: Problem | null, message?: string) {
    super(message ?? problem?.detail ?? wordsFor(status));
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
  }

  /** Whether the same request may do better in a while. */
  get passes(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** It was there, and ended before its time. */
export class ConnectionBroken extends ApiError {
  constructor() {
    super(0, null, 'The connection broke off.');
  }
}

function wordsFor(status: number): string {
  return status === 0 ? 'The server cannot be reached.' : `The server answered ${status}.`;
}

/** What a response that is not `ok` says; a proxy between may have answered with something else than a problem. */
export async function apiErrorOf(response: Response): Promise<ApiError> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) {
    await response.body?.cancel();
    return new ApiError(response.status, null);
  }
  try {
    const body: unknown = await response.json();
    return new ApiError(response.status, isProblem(body) ? body : null);
  } catch {
    return new ApiError(response.status, null); // It broke off; the status says what matters.
  }
}

function isProblem(body: unknown): body is Problem {
  const { detail, code } = { ...(body as Partial<Record<keyof Problem, unknown>> | null) };
  return typeof detail === 'string' && typeof code === 'string';
}
