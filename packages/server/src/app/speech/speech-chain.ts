import type { DemandSettings } from '@dialoglens/protocol';
import type { Config, ProviderName } from '../../config/index.ts';
import { DialogLensError } from '../../errors.ts';
import { knowsLanguage } from '../../stt/supervisor/supervised-provider.ts';
import { configuredEngines, engineTable } from './engine-table.ts';

/** What a room may ask for. */
export type SpeechWish = Pick<DemandSettings, 'provider' | 'fallbacks'>;

/**
 * The providers that serve a wish, in order of preference. A provider of the configured chain is followed by those that
 * stand behind it there; never by one before it, so that a room that asks for the engine of this machine is not heard
 * elsewhere.
 * @throws DialogLensError `unknown_provider`
 */
export function chainFor({ speech }: Pick<Config, 'speech'>, wish: SpeechWish): ProviderName[] {
  const first = known(speech, wish.provider ?? speech.provider, 'provider');
  const configured = [speech.provider, ...speech.fallbacks];
  const place = configured.indexOf(first);
  const behind = place < 0 ? [] : configured.slice(place + 1);
  const fallbacks = wish.fallbacks?.map((name, i) => known(speech, name, `fallbacks.${i}`)) ?? behind;
  return [...new Set([first, ...fallbacks])];
}

/**
 * Refuses what no provider of the chain can serve, without loading any: for processes that only dispatch.
 * @throws DialogLensError `unknown_provider`, or `unsupported_language` naming those that are known
 */
export function checkWish(
  config: Pick<Config, 'speech'>,
  wish: SpeechWish & { language?: string | undefined },
): void {
  const chain = chainFor(config, wish);
  const language = wish.language ?? config.speech.language;
  const capabilities = chain.map((name) => engineTable[name].capabilities(config));
  if (capabilities.some((one) => knowsLanguage(one, language))) return;
  const languages = new Set(capabilities.flatMap((one) => (one.languages === 'any' ? [] : one.languages)));
  const isAlone = chain.length === 1;
  const who = isAlone
    ? `The speech provider ${listed(chain)} does not know`
    : `None of ${listed(chain)} knows`;
  throw new DialogLensError('unsupported_language', `${who} ${language}.`, {
    field: 'language',
    remedy: languages.size > 0 ? `Use one of: ${[...languages].join(', ')}.` : 'Name the language.',
  });
}

/** @throws DialogLensError `unknown_provider` */
function known(speech: Config['speech'], name: string, field: string): ProviderName {
  const names = configuredEngines({ speech });
  const found = names.find((one) => one === name);
  if (found !== undefined) return found;
  throw new DialogLensError('unknown_provider', `There is no speech provider "${name}" here.`, {
    field,
    remedy: `Leave it out, or use ${listed(names)}; others have to be configured in speech.onRequest.`,
  });
}

function listed(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  return quoted.length === 1 ? `${quoted[0]}` : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}
