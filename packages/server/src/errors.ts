/**
 * Every error a user can meet: its stable code, the HTTP status it maps to, and a sentence for the operator.
 * The code is a contract; the sentence may be improved.
 */
export const errorCodes = {
  invalid_request: { status: 400, title: 'The request is not valid.' },
  invalid_config: { status: 500, title: 'The configuration is not valid.' },
  unauthenticated: { status: 401, title: 'No valid credentials were sent.' },
  token_expired: { status: 401, title: 'The access token has expired.' },
  forbidden: { status: 403, title: 'These credentials do not allow this.' },
  admin_key_needed: { status: 409, title: 'There must be an admin key that does not expire.' },
  key_configured: { status: 409, title: 'This key comes from the configuration.' },
  too_many_keys: { status: 409, title: 'There are too many keys.' },
  not_found: { status: 404, title: 'There is no such thing here.' },
  revision_conflict: { status: 409, title: 'Somebody else changed this meanwhile.' },
  nothing_to_undo: { status: 409, title: 'There is no correction that could be undone.' },
  session_live: { status: 409, title: 'The session is still being transcribed.' },
  export_too_large: { status: 422, title: 'The transcript is too long for this format.' },
  export_busy: { status: 503, title: 'Too many documents are being made.' },
  payload_too_large: { status: 413, title: 'The request body is too large.' },
  unsupported_media_type: { status: 415, title: 'The type of the request body is not supported.' },
  unsupported_format: { status: 400, title: 'This format is not supported.' },
  audio_unreadable: { status: 422, title: 'This file cannot be read as audio.' },
  unsupported_language: { status: 422, title: 'The speech provider does not know this language.' },
  unknown_provider: { status: 422, title: 'No such speech provider is configured.' },
  provider_credentials: { status: 503, title: 'The credentials of a speech provider are missing or wrong.' },
  plugin_unusable: { status: 503, title: 'The speech plugin is not installed, or cannot be used.' },
  provider_unavailable: { status: 503, title: 'The speech provider does not answer, or refuses us.' },
  rate_limited: { status: 429, title: 'Too many requests.' },
  too_many_viewers: { status: 503, title: 'Too many live viewers are connected.' },
  webhook_rejected: { status: 401, title: 'The webhook could not be verified.' },
  internal: { status: 500, title: 'Something went wrong inside DialogLens.' },
  shutting_down: { status: 503, title: 'This process is shutting down.' },
  store_unavailable: { status: 503, title: 'The database cannot be reached.' },
  store_login_refused: { status: 503, title: 'The database does not let this user in.' },
  store_locked: { status: 503, title: 'Another process is using this data folder.' },
  store_read_only: { status: 503, title: 'The data folder cannot be written.' },
  store_newer: { status: 503, title: 'The database was written by a newer version of DialogLens.' },
  store_migration_changed: {
    status: 503,
    title: 'A migration differs from the one this database was made with.',
  },
  store_full: { status: 507, title: 'The disk is full.' },
  registry_unavailable: { status: 503, title: 'Redis cannot be reached.' },
  registry_login_refused: { status: 503, title: 'Redis does not let this user in.' },
  registry_conflict: { status: 503, title: 'Redis holds data of another program under our names.' },
  worker_id_taken: { status: 409, title: 'Another worker has this name.' },
  queue_full: { status: 503, title: 'Too many rooms are waiting already.' },
  no_agent: { status: 503, title: 'No agent came into the room.' },
  api_unreachable: { status: 503, title: 'No DialogLens answers at this address.' },
  livekit_unreachable: { status: 503, title: 'LiveKit cannot be reached.' },
  livekit_key_unknown: { status: 503, title: 'LiveKit does not know this API key.' },
  livekit_secret_wrong: { status: 503, title: 'LiveKit does not accept this API secret.' },
  livekit_server_missing: { status: 503, title: 'No livekit-server could be found or built.' },
  livekit_server_failed: { status: 503, title: 'The livekit-server of this machine did not start.' },
  program_missing: { status: 503, title: 'A program that is needed is not installed.' },
  program_failed: { status: 503, title: 'A program that runs for DialogLens did not start.' },
  port_in_use: { status: 503, title: 'The port is in use.' },
  model_missing: { status: 503, title: 'The speech model is not installed.' },
  model_damaged: { status: 503, title: 'A file of the speech model is damaged.' },
  model_folder_invalid: { status: 503, title: 'The folder of the speech model cannot be used.' },
  model_download_failed: { status: 503, title: 'The speech model could not be fetched.' },
  native_module_missing: { status: 503, title: 'A native module could not be loaded on this machine.' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof errorCodes;

/**
 * An error with a stable code. `message` says what happened, `remedy` what to do about it.
 * Neither may hold transcript text, participant names or secrets.
 */
export class DialogLensError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  /** The offending field, setting or file, when there is one. */
  readonly field: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { remedy?: string; field?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DialogLensError';
    this.code = code;
    this.remedy = options.remedy;
    this.field = options.field;
  }

  /** HTTP status this error maps to. */
  get status(): number {
    return errorCodes[this.code].status;
  }
}

/** Turns anything thrown into an Error, so that callers can read `message` without guessing. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
