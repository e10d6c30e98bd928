import { z } from 'zod';
import { bareSchema, type Setting } from './settings.ts';

/** What a setting may be, in words for the reference. */
export function valueRange(setting: Setting): string {
  const schema = bareSchema(setting.schema);
  if (schema instanceof z.ZodEnum) return schema.options.map((option) => `\`${option}\``).join(', ');
  if (schema instanceof z.ZodNumber) return numberRange(schema);
  if (setting.kind === 'boolean') return '`true`, `false`';
  return setting.kind === 'list' ? 'list' : 'text';
}

function numberRange(schema: z.ZodNumber): string {
  const { minValue, maxValue } = schema;
  // Integers without a bound of their own carry the largest safe one.
  const isOpen = maxValue === null || maxValue >= Number.MAX_SAFE_INTEGER;
  return isOpen ? `${minValue} or more` : `${minValue} to ${maxValue}`;
}

/** The default, in words for the reference. */
export function defaultText(setting: Setting): string {
  if (setting.defaultText !== undefined) return setting.defaultText;
  const parsed = setting.schema.safeParse(undefined);
  const value: unknown = parsed.success ? parsed.data : undefined;
  if (value === undefined) return 'not set';
  return Array.isArray(value) ? 'empty' : `\`${String(value)}\``;
}
