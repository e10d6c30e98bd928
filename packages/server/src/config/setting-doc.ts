import { z } from 'zod';

/**
 * Every setting: what it may be, its default, and the sentence that explains it in `docs/reference/configuration.md`.
 * The path in this object is the key in the YAML file; the environment variable is derived from it unless `env` says
 * otherwise.
 */
export interface SettingDoc {
  doc: string;
  /** An environment variable whose name the ecosystem already knows, instead of `DIALOGLENS_…`. */
  env?: string;
  /** Long flag without the dashes, for the few settings that have one. */
  flag?: string;
  /** `all`: never shown; `password`: a URL that is shown without its password. */
  secret?: 'all' | 'password';
  /** The default in words, where it depends on the machine. */
  defaultText?: string;
}

export const settingDocs = z.registry<SettingDoc>();

/** A URL with one of these schemes. */
export function url(schemes: readonly string[]) {
  return z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), {
    error: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  });
}

/** Where a web page comes from, spelled as browsers spell it: scheme, host, and the port where it is not the usual one. */
export function origin() {
  return z
    .string()
    .refine((text) => URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text, {
      error:
        'must be web origins such as https://app.example or http://localhost:8080, in lower case and without a path',
    });
}

/** A time in milliseconds. */
export const milliseconds = (min: number, max: number) => z.int().min(min).max(max);
