import { type Role, roles } from '@dialoglens/protocol';
import { z } from 'zod';

/** What a caller must not be able to guess. */
const minSecretLength = 16;

const keyObject = z.strictObject({
  id: z
    .string('id must be text')
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'id may have letters, digits, dots, dashes and underscores, at most 64')
    .optional(),
  role: z.enum(roles, `role must be ${listed(roles)}`),
  secret: z.string('secret must be text'),
});

/** One key in force. */
export interface ConfiguredKey {
  /** Name of the key in the audit log; never part of the secret. */
  id: string;
  role: Role;
  secret: string;
}

/** What is wrong with an entry; never holds a part of it, which may be a secret in the wrong place. */
class Refusal {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** `secret`, `role:secret` or `{ id?, role, secret }`. A plain secret is an admin's. What comes out may be put in again. */
export const apiKeysSchema = z.array(z.unknown(), 'must be a list of keys').transform((entries, context) => {
  const keys: ConfiguredKey[] = [];
  entries.forEach((entry, index) => {
    const key = toKey(entry, `key-${index + 1}`);
    const fault = key instanceof Refusal ? key.message : faultOf(key, keys);
    if (fault !== null) context.addIssue({ code: 'custom', message: `key ${index + 1}: ${fault}` });
    if (!(key instanceof Refusal)) keys.push(key);
  });
  return keys;
});

function toKey(entry: unknown, id: string): ConfiguredKey | Refusal {
  if (typeof entry === 'string') return fromPair(entry, id);
  const read = keyObject.safeParse(entry);
  if (read.success) return { ...read.data, id: read.data.id ?? id };
  const [issue] = read.error.issues;
  if (issue === undefined || issue.path.length === 0) {
    return new Refusal('must be text or an object of id (optional), role and secret, and nothing else');
  }
  return new Refusal(issue.message);
}

/** A word before a colon must be a role: one with a typing error would otherwise make an administrator. */
function fromPair(text: string, id: string): ConfiguredKey | Refusal {
  const colon = text.indexOf(':');
  if (colon < 0) return { id, role: 'admin', secret: text };
  const role = roles.find((name) => name === text.slice(0, colon).trim());
  if (role) return { id, role, secret: text.slice(colon + 1).trim() };
  return new Refusal(`what stands before the colon must be ${listed(roles)}`);
}

function faultOf({ id, secret }: ConfiguredKey, before: readonly ConfiguredKey[]): string | null {
  if (secret.length < minSecretLength) return `must have at least ${minSecretLength} characters`;
  if (!/^[\x21-\x7e]+$/.test(secret))
    return 'may have letters, digits and signs of ASCII only, and no spaces';
  const same = before.findIndex((key) => key.secret === secret);
  if (same >= 0) return `is the same as key ${same + 1}`;
  const namesake = before.findIndex((key) => key.id === id);
  return namesake < 0 ? null : `has the id of key ${namesake + 1}`;
}

function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
