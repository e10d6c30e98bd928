import { ErrorReply, MultiErrorReply } from '@redis/client';
import { asError, DialogLensError } from '../../errors.ts';

/** What waiting does not change: the operator has to. */
const refusals = [
  {
    words: /^(WRONGPASS|NOAUTH)\b/,
    message: 'Redis does not let this user in with this password',
    remedy: 'Correct user and password in REDIS_URL (`redis://user:password@host:port`).',
  },
  {
    words: /^NOPERM\b/,
    message: 'Redis lets this user in, but not do what DialogLens has to',
    remedy:
      'Allow the user in REDIS_URL all keys and channels behind `redis.prefix`, scripts and transactions.',
  },
  {
    words: /^DENIED\b/,
    message: 'Redis is in protected mode and takes connections of its own machine only',
    remedy: 'Give Redis a password and put it into REDIS_URL.',
  },
  {
    words: /^ERR .*DB index/i,
    message: 'Redis has no database of this number',
    remedy: 'Correct the number at the end of REDIS_URL, or leave it out.',
  },
  {
    words: /^(NOPROTO|ERR unknown command .?HELLO)/i,
    message: 'This Redis is too old',
    remedy: 'Let REDIS_URL name a Redis 6 or newer.',
  },
  {
    words: /^(MOVED|CROSSSLOT|ERR .*cluster)/i,
    message: 'Redis is in cluster mode',
    remedy:
      'Let REDIS_URL name a Redis that is not in cluster mode: the live picture is small, one is enough.',
  },
];

/** What passes, or what others have to mend while we go on. */
const troubles = [
  { words: /^READONLY\b/, remedy: 'Let REDIS_URL name the primary, not a replica.' },
  { words: /^OOM\b/, remedy: 'Give Redis more memory (`maxmemory`).' },
  {
    words: /^(LOADING|BUSY|MISCONF|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS)\b/,
    remedy: 'Look at Redis’ log.',
  },
];

const unreachableRemedy = 'Check that Redis runs and that REDIS_URL names it.';

/** Turns what the client threw into an error with a stable code. Texts of Redis, which may quote names, do not travel along. */
export function toRegistryError(thrown: unknown): DialogLensError {
  if (thrown instanceof DialogLensError) return thrown;
  const error = firstOf(asError(thrown));
  return error instanceof ErrorReply ? refused(error.message) : unreachable(error);
}

function refused(reply: string): DialogLensError {
  const refusal = refusals.find(({ words }) => words.test(reply));
  if (refusal) {
    const { message, remedy } = refusal;
    return new DialogLensError('registry_login_refused', `${message}.`, { field: 'REDIS_URL', remedy });
  }
  const word = /^[A-Z]+/.exec(reply)?.[0] ?? 'ERR';
  const trouble = troubles.find(({ words }) => words.test(reply));
  if (trouble) {
    const { remedy } = trouble;
    return new DialogLensError('registry_unavailable', `Redis takes no commands now (${word}).`, { remedy });
  }
  if (word === 'WRONGTYPE') {
    return new DialogLensError('registry_conflict', 'Redis holds data of another program under our names.', {
      field: 'redis.prefix',
      remedy: 'Set redis.prefix (DIALOGLENS_REDIS_PREFIX) to a word of your own, the same for all processes.',
    });
  }
  return new DialogLensError('internal', `Redis refused a command (${word}).`);
}

function unreachable(error: Error): DialogLensError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const because = code === 'Error' ? error.constructor.name : code;
  return new DialogLensError('registry_unavailable', `Redis cannot be reached (${because}).`, {
    remedy: unreachableRemedy,
  });
}

/** A transaction fails with a list; its first error tells why. */
function firstOf(error: Error): Error {
  if (!(error instanceof MultiErrorReply)) return error;
  const [first] = error.errors();
  return first instanceof Error ? first : error;
}
