import {
  cleanTextSchema,
  correctSegmentSchema,
  correctSpeakerSchema,
  type LiveEvent,
  type SessionSpeaker,
  segmentHistorySchema,
  segmentSchema,
  sessionSpeakerSchema,
  sessionSpeakersSchema,
  undoSchema,
} from '@dialoglens/protocol';
import { asError } from '../errors.ts';
import type { Session } from '../store/store.ts';
import { type ApiInstance, problems, type ResourceDeps, writeProblems } from './api-instance.ts';
import { actorOf, type Caller, requireRoomController } from './callers.ts';
import { readableSession, sessionParams } from './sessions.ts';

const segmentParams = sessionParams.extend({ segmentId: cleanTextSchema.min(1).max(64) });
const speakerParams = sessionParams.extend({ identity: cleanTextSchema.min(1).max(1024) });

/** A text of 100,000 characters, each written as two escapes. */
const maxTextBodyBytes = 2 * 1024 * 1024;

const howRevisionsWork = `\`revision\` is the one the caller saw; a change of something that has changed since is refused
with \`revision_conflict\`. Everything that reads the record has the corrected text from then on, exports and search too; what was
recognised is kept beside it in \`original\`. Who follows the events of a running session is told.`;

/** Corrections of what was written down. */
export function registerCorrections(app: ApiInstance, deps: ResourceDeps): void {
  registerSegmentCorrection(app, deps);
  registerSegmentUndo(app, deps);
  registerHistory(app, deps);
  registerSpeakers(app, deps);
  registerSpeakerCorrection(app, deps);
  registerSpeakerUndo(app, deps);
}

function registerSegmentCorrection(app: ApiInstance, deps: ResourceDeps): void {
  app.patch(
    '/api/sessions/:id/segments/:segmentId',
    {
      bodyLimit: maxTextBodyBytes,
      schema: {
        tags: ['sessions'],
        summary: 'Correct the text of a final',
        description: howRevisionsWork,
        params: segmentParams,
        body: correctSegmentSchema,
        response: { 200: segmentSchema, ...problems('not_found', 'revision_conflict', ...writeProblems) },
      },
    },
    async (request) => {
      const target = await correctable(deps, request.caller, request.params.id);
      const { segmentId } = request.params;
      const segment = await deps.store.corrections.correctSegment({ ...target, segmentId, ...request.body });
      await tell(deps, segment.room, { type: 'segment', segment });
      return segment;
    },
  );
}

function registerSegmentUndo(app: ApiInstance, deps: ResourceDeps): void {
  app.post(
    '/api/sessions/:id/segments/:segmentId/undo',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Take the last correction of a final back',
        params: segmentParams,
        body: undoSchema,
        response: {
          200: segmentSchema,
          ...problems('not_found', 'revision_conflict', 'nothing_to_undo', ...writeProblems),
        },
      },
    },
    async (request) => {
      const target = await correctable(deps, request.caller, request.params.id);
      const { segmentId } = request.params;
      const segment = await deps.store.corrections.undoSegment({ ...target, segmentId, ...request.body });
      await tell(deps, segment.room, { type: 'segment', segment });
      return segment;
    },
  );
}

function registerHistory(app: ApiInstance, { store }: ResourceDeps): void {
  app.get(
    '/api/sessions/:id/segments/:segmentId/revisions',
    {
      schema: {
        tags: ['sessions'],
        summary: 'What was recognised, and every correction with who made it and when',
        params: segmentParams,
        response: { 200: segmentHistorySchema, ...problems('not_found') },
      },
    },
    async (request) => {
      const session = await readableSession(store, request.caller, request.params.id);
      return store.corrections.history(session.id, request.params.segmentId);
    },
  );
}

function registerSpeakers(app: ApiInstance, { store }: ResourceDeps): void {
  app.get(
    '/api/sessions/:id/speakers',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Everybody who was heard in a session, and what they are called',
        params: sessionParams,
        response: { 200: sessionSpeakersSchema, ...problems('not_found') },
      },
    },
    async (request) => {
      const session = await readableSession(store, request.caller, request.params.id);
      return { items: await store.corrections.speakers(session.id) };
    },
  );
}

function registerSpeakerCorrection(app: ApiInstance, deps: ResourceDeps): void {
  app.patch(
    '/api/sessions/:id/speakers/:identity',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Correct what a speaker is called in a session',
        description: howRevisionsWork,
        params: speakerParams,
        body: correctSpeakerSchema,
        response: {
          200: sessionSpeakerSchema,
          ...problems('not_found', 'revision_conflict', ...writeProblems),
        },
      },
    },
    async (request) => {
      const { room, ...target } = await correctable(deps, request.caller, request.params.id);
      const { identity } = request.params;
      const speaker = await deps.store.corrections.correctSpeaker({ ...target, identity, ...request.body });
      return told(deps, { id: target.sessionId, room }, speaker);
    },
  );
}

function registerSpeakerUndo(app: ApiInstance, deps: ResourceDeps): void {
  app.post(
    '/api/sessions/:id/speakers/:identity/undo',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Take the last correction of a speaker’s name back',
        params: speakerParams,
        body: undoSchema,
        response: {
          200: sessionSpeakerSchema,
          ...problems('not_found', 'revision_conflict', 'nothing_to_undo', ...writeProblems),
        },
      },
    },
    async (request) => {
      const { room, ...target } = await correctable(deps, request.caller, request.params.id);
      const { identity } = request.params;
      const speaker = await deps.store.corrections.undoSpeaker({ ...target, identity, ...request.body });
      return told(deps, { id: target.sessionId, room }, speaker);
    },
  );
}

/** Whoever may start and stop a room may correct what was written down in it. */
async function correctable({ store }: ResourceDeps, caller: Caller, id: string) {
  const { id: sessionId, room } = await readableSession(store, caller, id);
  requireRoomController(caller, room);
  return { sessionId, room, author: actorOf(caller) };
}

async function told(
  deps: ResourceDeps,
  { id: sessionId, room }: Pick<Session, 'id' | 'room'>,
  speaker: SessionSpeaker,
): Promise<SessionSpeaker> {
  const { identity, name } = speaker;
  await tell(deps, room, { type: 'speaker', sessionId, room, identity, name });
  return speaker;
}

/** The change is made, whether or not those who watch can be told at once: they see it when they read again. */
async function tell({ registry, logger }: ResourceDeps, room: string, event: LiveEvent): Promise<void> {
  try {
    await registry.publish(room, event);
  } catch (thrown) {
    logger.warn({ err: asError(thrown) }, 'viewers could not be told of a correction');
  }
}
