import { settingsViewSchema } from '@dialoglens/protocol';
import { type ApiInstance, problems, type ResourceDeps } from './api-instance.ts';
import { requireOperator } from './callers.ts';

/** How the server is set, for those who answer for it. */
export function registerSettings(app: ApiInstance, { settings }: Pick<ResourceDeps, 'settings'>): void {
  app.get(
    '/api/settings',
    {
      schema: {
        tags: ['operations'],
        summary: 'Where audio and transcripts go, and what this server is',
        description:
          'Says which speech services get audio, in which region and at which address. Holds no secret.',
        response: { 200: settingsViewSchema, ...problems() },
      },
    },
    async (request) => {
      requireOperator(request.caller);
      return settings();
    },
  );
}
