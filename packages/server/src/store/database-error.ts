import { asError, DialogLensError } from '../errors.ts';

const sqlState = /^[0-9A-Z]{5}$/;

/**
 * Classes and codes of SQLSTATE (PostgreSQL's appendix A) that mean "not now": connection, resources, shutdown, cancelled
 * by the statement timeout, serialisation and deadlock.
 */
const unavailable = /^(08|40|57|53(?!100))/;

/** What waiting does not change: the operator has to. */
const refusals = [
  {
    states: /^28/,
    message: 'PostgreSQL does not let this user in with this password',
    remedy: 'Correct user and password in DATABASE_URL, or the rules in `pg_hba.conf` of the server.',
  },
  {
    states: /^3D/,
    message: 'PostgreSQL has no database of this name',
    remedy: 'Create the database, or name another one in DATABASE_URL.',
  },
  {
    states: /^42501$/,
    message: 'PostgreSQL lets this user in, but not do what DialogLens has to',
    remedy:
      'Make the user in DATABASE_URL the owner of the database, or grant it `create` on database and schema.',
  },
];

/** The one setting that says where PostgreSQL is. */
const remedies = {
  postgres: 'Check that PostgreSQL runs and that DATABASE_URL names a database this process may use.',
  pglite: 'Start this process again; when it stays so, look at the disk that holds the data folder.',
};

/**
 * Turns what a driver threw into an error with a stable code. The driver's own error does not travel along when the
 * database answered, because its `detail` quotes the row, and rows hold what people said.
 */
export function toStoreError(thrown: unknown, kind: 'postgres' | 'pglite'): DialogLensError {
  if (thrown instanceof DialogLensError) return thrown;
  const error = asError(thrown);
  const code = codeOf(error);
  if (code === '53100' || code === 'ENOSPC') {
    return new DialogLensError('store_full', 'The disk of the database is full.', {
      remedy: 'Free some space; finals wait in the journal until then.',
    });
  }
  if (code === '25006' || code === 'EROFS' || code === 'EACCES') {
    return new DialogLensError('store_read_only', 'The database takes no writes.', {
      remedy:
        kind === 'postgres'
          ? 'Let DATABASE_URL name the primary server, not a standby.'
          : 'Give this user the right to write the data folder.',
    });
  }
  const refusal = refusals.find(({ states }) => code !== null && states.test(code));
  if (refusal) {
    return new DialogLensError('store_login_refused', `${refusal.message} (SQLSTATE ${code}).`, {
      field: 'DATABASE_URL',
      remedy: refusal.remedy,
    });
  }
  if (code !== null && sqlState.test(code) && !unavailable.test(code)) {
    return new DialogLensError('internal', `The database refused a statement (SQLSTATE ${code}).`);
  }
  const because = code === null ? error.name : code;
  return new DialogLensError('store_unavailable', `The database did not answer (${because}).`, {
    remedy: remedies[kind],
  });
}

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null;
}
