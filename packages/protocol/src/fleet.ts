import { z } from 'zod';
import { agentViewSchema, capacityViewSchema, roomViewSchema } from './api.ts';

/** One event of the fleet's live feed. Each carries the whole new state of what it is about. */
export const fleetEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('room'), room: roomViewSchema }),
  /** Nobody wants the room any more, and nobody serves it. */
  z.object({ type: z.literal('room-gone'), room: z.string() }),
  z.object({ type: z.literal('agent'), agent: agentViewSchema }),
  /** The worker is not heard any more: it has ended, or died, or cannot be reached. */
  z.object({ type: z.literal('agent-gone'), agentId: z.string() }),
  z.object({ type: z.literal('capacity'), capacity: capacityViewSchema }),
  /** Events were missed: read `/api/rooms`, `/api/agents` and `/api/capacity` again, then go on. */
  z.object({ type: z.literal('resync'), reason: z.string() }),
]);
export type FleetEvent = z.infer<typeof fleetEventSchema>;
