import {
  pagedSchema,
  pageQuerySchema,
  priorityRequestSchema,
  roomNameSchema,
  roomViewSchema,
  startAnswerSchema,
  startRequestSchema,
  stopAnswerSchema,
  textFault,
} from '@dialoglens/protocol';
import { z } from 'zod';
import { DialogLensError } from '../errors.ts';
import { type ApiInstance, problems, type ResourceDeps, writeProblems } from './api-instance.ts';
import { actorOf, requireOperator, requireRoomController, requireRoomReader, roomScope } from './callers.ts';
import { pageByKey } from './paging.ts';
import type { StartAnswer, StopAnswer } from './ports.ts';

const roomParams = z.object({ room: roomNameSchema });

/** The body of start-transcription; no body means no wishes. Texts that the store cannot hold are named. */
const startBody = startRequestSchema
  .superRefine((settings, context) => {
    const { provider = '', fallbacks = [], hints = [] } = settings;
    const texts: [text: string, path: (string | number)[]][] = [
      [provider, ['provider']],
      ...fallbacks.map((name, index): [string, (string | number)[]] => [name, ['fallbacks', index]]),
      ...hints.map((hint, index): [string, (string | number)[]] => [hint, ['hints', index]]),
    ];
    for (const [text, path] of texts) {
      const message = textFault(text);
      if (message) context.addIssue({ code: 'custom', message, path });
    }
  })
  .nullish();

const startMessages: Record<StartAnswer['status'], string> = {
  assigned: 'Transcription agent will join room shortly',
  queued: 'Transcription agent will join room as soon as a slot is free',
  armed: 'Transcription agent will join room when somebody is in it',
};

/** Reading, starting and stopping rooms. */
export function registerRooms(app: ApiInstance, { control }: ResourceDeps): void {
  app.get(
    '/api/rooms',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Rooms that are wanted or transcribed',
        querystring: pageQuerySchema,
        response: { 200: pagedSchema(roomViewSchema), ...problems() },
      },
    },
    async (request) => {
      const scope = roomScope(request.caller, undefined);
      const rooms = (await control.rooms()).filter(({ room }) => scope === undefined || room === scope);
      return pageByKey(rooms, ({ room }) => room, request.query);
    },
  );
  app.get(
    '/api/rooms/:room',
    {
      schema: {
        tags: ['rooms'],
        summary: 'One room: wish, status with reason, agent, place in the queue',
        params: roomParams,
        response: { 200: roomViewSchema, ...problems('not_found') },
      },
    },
    async (request) => {
      requireRoomReader(request.caller, request.params.room);
      const view = await control.room(request.params.room);
      if (view) return view;
      throw unwanted();
    },
  );
  registerStart(app, control);
  registerStop(app, control);
  registerPriority(app, control);
}

function registerStart(app: ApiInstance, control: ResourceDeps['control']): void {
  app.post(
    '/api/rooms/:room/start-transcription',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Ask for a room to be transcribed',
        description: `Repeating it changes nothing. A room that has not started yet is \`armed\`. Where transcription runs already,
settings that are sent replace the ones before, each speaker from the next pause; settings left out stay as they are.
\`priority\` (-100 to 100, 0 unless given) is the place in the queue while slots are short, and for API keys only.`,
        params: roomParams,
        body: startBody,
        response: {
          200: startAnswerSchema,
          ...problems('unsupported_language', 'unknown_provider', 'queue_full', ...writeProblems),
        },
      },
    },
    async (request) => {
      const { room } = request.params;
      requireRoomController(request.caller, room);
      const { priority, ...settings } = request.body ?? {};
      if (priority !== undefined) requireOperator(request.caller);
      const answer = await control.start(room, settings, actorOf(request.caller), priority);
      const { status, reason, sessionId, queuePosition } = answer;
      return {
        success: true as const,
        message: startMessages[status],
        status,
        room,
        reason,
        ...(sessionId === null ? {} : { sessionId }),
        ...(queuePosition === null ? {} : { queuePosition }),
      };
    },
  );
}

function registerStop(app: ApiInstance, control: ResourceDeps['control']): void {
  app.post(
    '/api/rooms/:room/stop-transcription',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Stop transcribing a room',
        params: roomParams,
        response: { 200: stopAnswerSchema, ...problems(...writeProblems) },
      },
    },
    async (request) => {
      const { room } = request.params;
      requireRoomController(request.caller, room);
      const { status, reason, sessionId } = await control.stop(room, actorOf(request.caller));
      return {
        success: true as const,
        message: stopMessage(status, sessionId),
        status,
        room,
        reason,
        ...(sessionId === null ? {} : { sessionId }),
      };
    },
  );
}

function registerPriority(app: ApiInstance, control: ResourceDeps['control']): void {
  app.post(
    '/api/rooms/:room/priority',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Move a wanted room in the queue',
        description:
          'Higher is served first, among equals the older wish. A room that is served keeps its agent.',
        params: roomParams,
        body: priorityRequestSchema,
        response: { 200: roomViewSchema, ...problems('not_found', ...writeProblems) },
      },
    },
    async (request) => {
      requireOperator(request.caller);
      const { room } = request.params;
      const view = await control.setPriority(room, request.body.priority, actorOf(request.caller));
      if (view) return view;
      throw unwanted();
    },
  );
}

function unwanted(): DialogLensError {
  return new DialogLensError('not_found', 'Nobody asked for this room to be transcribed.', {
    field: 'room',
    remedy: 'POST to start-transcription of this room to ask for it.',
  });
}

function stopMessage(status: StopAnswer['status'], sessionId: string | null): string {
  if (status === 'idle') return 'No transcription was running in room';
  return sessionId === null
    ? 'Transcription agent will not join room'
    : 'Transcription agent will leave room shortly';
}
