import type { SettingsView, SpeechRoute } from '@dialoglens/protocol';
import { strings } from '../../strings.ts';

const text = strings.settings.audio;

/** Where one provider's audio goes, in a sentence. */
export function audioSentence({ audio, service, region, endpoint, model }: SpeechRoute): string {
  if (audio === 'here') return text.here(model);
  if (audio === 'plugin') return text.plugin(service);
  const place = region === null ? '' : region === 'global' ? text.global : text.region(region);
  return text.service(service ?? text.unnamed, place, endpoint);
}

/** Whether any audio may leave the machines of the workers: with the first provider, or only with others. */
export function audioVerdict({ chain, onRequest }: SettingsView['speech']): keyof typeof text.verdicts {
  const leaves = (route: SpeechRoute) => route.audio !== 'here';
  const [first, ...others] = chain;
  if (first && leaves(first)) return 'leaves';
  return [...others, ...onRequest].some(leaves) ? 'may leave' : 'stays';
}
