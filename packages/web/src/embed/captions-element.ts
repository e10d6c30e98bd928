import {
  ApiError,
  type CaptionState,
  connectTranscript,
  roomOfToken,
  type Segment,
  type TranscriptConnection,
  type TranscriptEvents,
  type TranscriptState,
} from '@dialoglens/protocol';
import { embedStrings } from '../embed-strings.ts';
import { type Captions, noCaptions, takeEvent } from '../features/live/caption-feed.ts';
import { CaptionBox } from './caption-box.ts';

/** Where this script came from is where the captions are, unless the page says otherwise. */
const scriptServer = new URL('.', String(import.meta.url)).href;
const defaultLines = 3;
const maxLines = 50;

/** What `dialoglens-state` tells: how the element stands, and why where something is in the way. */
interface CaptionsState {
  state: TranscriptState | 'ended';
  reason: string | null;
  /** Stable word for a refusal, such as `token_expired`; null for none. */
  code: string | null;
}

/**
 * `<dialoglens-captions>`: captions of a room as they are spoken. Attributes: `token`, `room`, `server`, `lines`,
 * `partials`, `theme`. A new `token` for the same room is used without a break.
 */
export class CaptionsElement extends HTMLElement {
  static readonly observedAttributes = ['token', 'room', 'server', 'lines', 'partials'];
  readonly #box = new CaptionBox(this.attachShadow({ mode: 'open' }));
  #connection: TranscriptConnection | null = null;
  /** Server and room of the connection. */
  #place = '';
  #captions: Captions = noCaptions;
  #trouble: CaptionState = 'ok';
  #standing = embedStrings.connecting;
  #isQueued = false;
  #isDrawn = true;

  connectedCallback(): void {
    this.#later();
  }

  disconnectedCallback(): void {
    this.#later();
  }

  attributeChangedCallback(name: string): void {
    if (name === 'lines' || name === 'partials') this.#draw();
    else this.#later();
  }

  /** Once for all the attributes that a page sets in a row. */
  #later(): void {
    if (this.#isQueued) return;
    this.#isQueued = true;
    queueMicrotask(() => {
      this.#isQueued = false;
      this.#settle();
    });
  }

  /** Connects, renews the token, or lets go: whatever the attributes ask for now. */
  #settle(): void {
    const token = this.getAttribute('token') ?? '';
    const server = this.getAttribute('server') || scriptServer;
    const room = this.getAttribute('room') || roomOfToken(token) || '';
    const place = this.isConnected ? JSON.stringify([server, room]) : '';
    try {
      if (place !== this.#place || this.#connection === null) this.#connect(place, server, token, room);
      else this.#connection.renew(token);
    } catch (thrown) {
      this.#release();
      this.#refuse(thrown instanceof Error ? thrown.message : String(thrown), null);
    }
  }

  #connect(place: string, server: string, token: string, room: string): void {
    this.#release();
    this.#place = place;
    this.#captions = noCaptions;
    this.#box.clear();
    if (!this.isConnected) return;
    if (token === '') return this.#refuse(embedStrings.noToken, null);
    const address = new URL(server, document.baseURI);
    const connection = connectTranscript(address, token, room === '' ? {} : { room });
    connection.on('state', (news) => this.#stateIs(news));
    connection.on('room', ({ status }) => {
      if (status === 'queued') this.#stand(embedStrings.queued);
      else if (!this.#hasEnded) this.#stand(embedStrings.waiting);
    });
    connection.on('event', ({ event, isHistory }) => {
      this.#captions = takeEvent(this.#captions, event, isHistory);
      this.#draw();
    });
    connection.on('room-captions', ({ state }) => {
      this.#trouble = state;
      this.#draw();
    });
    connection.on('final', ({ segment, isHistory }) => {
      if (!isHistory) this.#tell('dialoglens-final', segment);
    });
    connection.on('ended', ({ reason }) => {
      this.#stand(embedStrings.ended);
      this.#tell('dialoglens-state', { state: 'ended', reason, code: null });
    });
    this.#connection = connection;
  }

  #release(): void {
    this.#connection?.close();
    this.#connection = null;
    this.#place = '';
    this.#trouble = 'ok';
  }

  #stateIs({ state, error }: TranscriptEvents['state']): void {
    if (state === 'closed') return;
    if (state === 'refused') return this.#refuse(error?.message ?? '', error?.problem?.code ?? null);
    if (state === 'open') this.#begin();
    else if (state !== 'waiting' || !this.#hasEnded) this.#stand(embedStrings[stateWords[state]]);
    const reason = error instanceof ApiError ? error.message : null;
    this.#tell('dialoglens-state', { state, reason, code: null });
  }

  get #hasEnded(): boolean {
    return this.#captions.endReason !== null;
  }

  /** Connected; after the end of a session that means with the next, which has captions of its own. */
  #begin(): void {
    if (this.#hasEnded) {
      this.#captions = noCaptions;
      this.#trouble = 'ok';
      this.#box.clear();
    }
    this.#stand('');
  }

  #refuse(reason: string, code: string | null): void {
    this.#stand(embedStrings.refused(reason));
    this.#tell('dialoglens-state', { state: 'refused', reason, code });
  }

  #stand(text: string): void {
    this.#standing = text;
    this.#draw();
  }

  #tell(name: 'dialoglens-state', detail: CaptionsState): void;
  #tell(name: 'dialoglens-final', detail: Segment): void;
  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /** At the next frame at the latest: several events between two frames are one drawing. */
  #draw(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    requestAnimationFrame(() => {
      this.#isDrawn = true;
      const lines = Number.parseInt(this.getAttribute('lines') ?? '', 10);
      this.#box.show(this.#captions, {
        lines: Number.isNaN(lines) ? defaultLines : Math.min(maxLines, Math.max(1, lines)),
        partials: this.getAttribute('partials') !== 'off',
      });
      this.#box.status = this.#standing || this.#troubleText();
    });
  }

  #troubleText(): string {
    if (this.#trouble !== 'ok') return embedStrings.trouble[this.#trouble];
    return this.#captions.segments.length === 0 ? embedStrings.listening : '';
  }
}

const stateWords = { connecting: 'connecting', waiting: 'waiting', lost: 'lost', over: 'ended' } as const;
