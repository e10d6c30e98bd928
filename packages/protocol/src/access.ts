import { z } from 'zod';
import { cleanTextSchema } from './api.ts';

/** What a key may do. A viewer reads, an operator also starts and stops, an admin may do everything. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** How the one who asks is known: `open` is whoever is on the machine of a server without keys. */
const signedInBy = ['open', 'key', 'cookie', 'token'] as const;

/** Who asks, and what they may do. Instants in milliseconds since the Unix epoch. */
export const meViewSchema = z.object({
  signedInBy: z.enum(signedInBy),
  /** Null for the bearer of a LiveKit access token. */
  role: z.enum(roles).nullable(),
  /** The key and its name; null where there is none. */
  keyId: z.string().nullable(),
  name: z.string().nullable(),
  /** The one room of a LiveKit access token; null: all rooms. */
  room: z.string().nullable(),
  /** When the sign-in ends; null when it does not. */
  expiresAt: z.number().nullable(),
  may: z.object({
    /** Start, stop, drain, join, correct. */
    operate: z.boolean(),
    /** Make and revoke keys, and delete. */
    administer: z.boolean(),
  }),
});
export type MeView = z.infer<typeof meViewSchema>;

/** Longest secret that is looked at. */
const maxSecretLength = 512;

/** Body of sign-in. */
export const signInBodySchema = z.strictObject({
  key: z.string().min(1, 'must not be empty').max(maxSecretLength),
});

/** Answer to sign-out. */
export const signOutAnswerSchema = z.object({ success: z.literal(true) });

const maxKeyNameLength = 100;
const longestLifeDays = 3_650;

/** Body of a new key. Without `expiresInDays` it does not expire. */
export const createKeyBodySchema = z.strictObject({
  name: cleanTextSchema
    .trim()
    .min(1, 'must not be empty')
    .max(maxKeyNameLength, `must have at most ${maxKeyNameLength} characters`),
  role: z.enum(roles),
  expiresInDays: z.int().min(1).max(longestLifeDays).optional(),
});

/** A key without its secret. Instants in milliseconds since the Unix epoch. */
export const keyViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(roles),
  /** `configuration`: from `apiKeys`; it is changed there. */
  source: z.enum(['store', 'configuration']),
  status: z.enum(['active', 'expired']),
  createdAt: z.number().nullable(),
  expiresAt: z.number().nullable(),
  /** To the minute; null when it was not used yet, or is not followed. */
  lastUsedAt: z.number().nullable(),
});
export type KeyView = z.infer<typeof keyViewSchema>;

/** Answer to a new key: the only time that its secret is told. */
export const createKeyAnswerSchema = keyViewSchema.extend({ secret: z.string() });
export type CreateKeyAnswer = z.infer<typeof createKeyAnswerSchema>;

/** Answer to a revocation. */
export const revokeKeyAnswerSchema = z.object({ success: z.literal(true), id: z.string() });
