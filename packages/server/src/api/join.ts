import { joinAnswerSchema, joinBodySchema, roomNameSchema } from '@dialoglens/protocol';
import { z } from 'zod';
import { DialogLensError } from '../errors.ts';
import { newId } from '../ids.ts';
import { type ApiInstance, problems, type ResourceDeps, writeProblems } from './api-instance.ts';
import { requireRoomController } from './callers.ts';

/** Lets people into rooms from their browser: whoever may start transcription of a room may also be in it. */
export function registerJoin(app: ApiInstance, { joinTokens }: Pick<ResourceDeps, 'joinTokens'>): void {
  app.post(
    '/api/rooms/:room/join-token',
    {
      schema: {
        tags: ['rooms'],
        summary: 'A LiveKit access token to join a room with, from a browser',
        description: 'The token lets its bearer into this one room, with a microphone, under a new identity.',
        params: z.object({ room: roomNameSchema }),
        body: joinBodySchema,
        response: { 200: joinAnswerSchema, ...problems('not_found', ...writeProblems) },
      },
    },
    async (request) => {
      const { room } = request.params;
      requireRoomController(request.caller, room);
      if (!joinTokens) {
        throw new DialogLensError('not_found', 'This server gives no tokens to join with.', {
          remedy: 'Make one with the key and secret of your LiveKit server.',
        });
      }
      const identity = newId('web');
      const token = await joinTokens.mint({ room, identity, name: request.body.name });
      return { url: joinTokens.url, token, room, identity };
    },
  );
}
