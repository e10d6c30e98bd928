import type { Clock } from '../../../clock.ts';
import { asError, DialogLensError } from '../../../errors.ts';
import type { Metrics } from '../../../observability/metric-table.ts';
import type { Scheduler } from '../../../scheduler.ts';
import { OpenSessions } from '../../open-sessions.ts';
import { StreamSession } from '../../stream-session.ts';
import type { SttCapabilities, SttEvent, SttOpenOptions, SttProvider, SttSession } from '../../stt.ts';
import { makeClientFactory } from './google-client.ts';
import { GoogleConnections } from './google-connections.ts';
import { googleLocale } from './google-languages.ts';
import { audioMessage, openingMessage, type StreamWish } from './google-messages.ts';
import { checkGoogleSettings, type GoogleSettings, googleCapabilities, isChirp } from './google-settings.ts';
import { GoogleStream } from './google-stream.ts';

export interface GoogleProviderOptions {
  settings: GoogleSettings;
  clock: Clock;
  scheduler: Scheduler;
  metrics: Metrics;
}

/** Google takes one language and three more. */
const maxLanguages = 4;

/** Google Cloud Speech-to-Text, v1 or v2, streaming. */
export class GoogleProvider implements SttProvider {
  readonly name = 'google';
  readonly capabilities: SttCapabilities;
  readonly #options: GoogleProviderOptions;
  readonly #sessions: OpenSessions;
  #starting: Promise<void> | null = null;
  #running: { connections: GoogleConnections; project: string } | null = null;

  /** @throws DialogLensError `invalid_config` naming the setting that is wrong */
  constructor(options: GoogleProviderOptions) {
    checkGoogleSettings(options.settings);
    this.#options = options;
    this.#sessions = new OpenSessions(this.name, options.metrics);
    this.capabilities = googleCapabilities(options.settings);
  }

  /**
   * Loads the library and the credentials; nothing is sent to the service yet.
   * @throws DialogLensError `provider_credentials` when there are none, or they cannot be read
   */
  start(): Promise<void> {
    this.#starting ??= this.#start().catch((thrown: unknown) => {
      this.#starting = null;
      throw thrown;
    });
    return this.#starting;
  }

  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    this.#starting = null;
    this.#sessions.closeAll();
    const running = this.#running;
    this.#running = null;
    await running?.connections.stop();
  }

  open(options: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession {
    const languages = this.#languagesFor(options.language);
    const running = this.#running;
    if (running === null) throw new DialogLensError('internal', 'The speech provider google is not running.');
    const { clock, scheduler } = this.#options;
    const wish = { ...options, languages };
    return this.#sessions.open(
      (onClosed) =>
        new StreamSession({
          startSample: options.startSample,
          clock,
          scheduler,
          onEvent,
          onClosed,
          openStream: (startSample, onStreamEvent) => this.#stream(running, wish, startSample, onStreamEvent),
        }),
    );
  }

  async #start(): Promise<void> {
    const { settings } = this.#options;
    const connections = new GoogleConnections(await makeClientFactory(settings));
    try {
      const client = await connections.start();
      const project = settings.project ?? (await client.getProjectId());
      this.#running = { connections, project };
    } catch (thrown) {
      await connections.stop();
      throw credentialsError(asError(thrown));
    }
  }

  #stream(
    { connections, project }: { connections: GoogleConnections; project: string },
    wish: StreamWish,
    startSample: number,
    onEvent: (event: SttEvent) => void,
  ): GoogleStream {
    const { settings } = this.#options;
    return new GoogleStream({
      startSample,
      opening: openingMessage(settings, project, wish),
      audio: (bytes) => audioMessage(settings, bytes),
      wantPartials: wish.wantPartials,
      wantWords: wish.wantWords,
      isConfident: this.capabilities.confidence,
      hints: wish.hints,
      call: (events) => connections.call(events),
      onEvent,
    });
  }

  /** As Google writes them. @throws DialogLensError `unsupported_language` */
  #languagesFor(language: string): string[] {
    const { settings } = this.#options;
    if (language === 'auto' && isChirp(settings)) return ['auto'];
    const wanted = language === 'auto' ? settings.languages : [language, ...settings.languages];
    const [first, ...others] = wanted.map(googleLocale);
    if (first === null || first === undefined) {
      throw new DialogLensError(
        'unsupported_language',
        `Google’s speech service does not know ${language}.`,
        {
          field: 'language',
          remedy:
            language === 'auto'
              ? 'Name the language, set speech.google.languages, or choose the model chirp_3.'
              : 'Name another language, or configure a speech provider that knows it.',
        },
      );
    }
    const known = others.filter((one) => one !== null);
    return [...new Set([first, ...known])].slice(0, maxLanguages);
  }
}

/** Never holds a part of the credentials. */
function credentialsError(error: Error): DialogLensError {
  return new DialogLensError(
    'provider_credentials',
    `Google’s credentials cannot be used: ${error.message}`,
    {
      field: 'speech.google.credentials',
      remedy:
        'Set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account with the role Cloud Speech Client, or run `gcloud auth application-default login`.',
      cause: error,
    },
  );
}

/** @see GoogleProvider */
export function createGoogleProvider(options: GoogleProviderOptions): GoogleProvider {
  return new GoogleProvider(options);
}
