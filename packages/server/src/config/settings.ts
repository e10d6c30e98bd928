import { z } from 'zod';
import { configSchema } from './schema.ts';
import { type SettingDoc, settingDocs } from './setting-doc.ts';

/** One leaf of the schema with all its names. */
export interface Setting extends SettingDoc {
  /** Path in the YAML file, joined by dots. */
  path: string;
  env: string;
  schema: z.ZodType;
  /** What text from a flag or the environment is turned into before it is checked. */
  kind: 'text' | 'number' | 'boolean' | 'list';
}

/** Every setting, in the order of the schema. */
export const settings: readonly Setting[] = collect(configSchema, []);

/** Paths of the objects that hold settings, such as `speech`. */
export const sections: readonly string[] = [
  ...new Set(settings.map((setting) => setting.path.split('.').slice(0, -1).join('.'))),
].filter((path) => path !== '');

function collect(object: z.ZodObject, above: readonly string[]): Setting[] {
  return Object.entries(object.shape).flatMap(([key, schema]) => {
    const path = [...above, key];
    if (schema instanceof z.ZodObject) return collect(schema, path);
    if (!(schema instanceof z.ZodType)) return [];
    const doc = settingDocs.get(schema);
    if (!doc) throw new Error(`The setting ${path.join('.')} has no documentation.`);
    return [
      { ...doc, path: path.join('.'), env: doc.env ?? environmentName(path), schema, kind: kindOf(schema) },
    ];
  });
}

/** `['speech', 'endSilenceMs']` → `DIALOGLENS_SPEECH_END_SILENCE_MS`. */
function environmentName(path: readonly string[]): string {
  const words = path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`));
  return `DIALOGLENS_${words.join('_').toUpperCase()}`;
}

/** The schema below `.default()`, `.optional()` and `.transform()`: what a value looks like when it is written. */
export function bareSchema(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    const inner = schema.unwrap();
    return inner instanceof z.ZodType ? bareSchema(inner) : schema;
  }
  if (schema instanceof z.ZodPipe && schema.in instanceof z.ZodType) return bareSchema(schema.in);
  return schema;
}

function kindOf(schema: z.ZodType): Setting['kind'] {
  const bare = bareSchema(schema);
  if (bare instanceof z.ZodNumber) return 'number';
  if (bare instanceof z.ZodBoolean) return 'boolean';
  return bare instanceof z.ZodArray ? 'list' : 'text';
}
