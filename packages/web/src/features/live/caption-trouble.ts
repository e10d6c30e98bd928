import type { CaptionsView } from '@dialoglens/protocol';
import { strings } from '../../strings.ts';

/** What is wrong with captions, in words. `wait`: they come late; `bad`: they do not come. */
export interface Trouble {
  tone: 'bad' | 'wait';
  text: string;
  /** Whole seconds until a provider is asked again; null when that is not known, or just happens. */
  retryInSeconds: number | null;
}

/** Null while captions do well. */
export function captionTrouble(captions: CaptionsView | undefined, nowMs: number): Trouble | null {
  if (captions === undefined || captions.state === 'ok') return null;
  const { state, reason, retryAt } = captions;
  const { states, reasons } = strings.captionTrouble;
  const seconds = retryAt === undefined ? 0 : Math.ceil((retryAt - nowMs) / 1_000);
  return {
    tone: state === 'delayed' ? 'wait' : 'bad',
    text: states[state](reasons[reason] ?? reason),
    retryInSeconds: seconds >= 1 ? seconds : null,
  };
}
