import { describe, expect, it } from 'vitest';
import type { ContractContext } from './under-test.ts';

const hourMs = 3_600_000;

export function reservationContract(context: ContractContext): void {
  describe('reservations', () => {
    const reservations = () => context.store().reservations;
    const mine = async () =>
      (await reservations().list()).filter(({ room }) => room.startsWith(context.room()));

    it('keeps one for each room, in the order in which they begin', async () => {
      const room = context.room();
      const now = Date.now();
      await reservations().put({
        room: `${room}/late`,
        startsAt: now + 2 * hourMs,
        endsAt: now + 3 * hourMs,
      });
      await reservations().put({ room: `${room}/soon`, startsAt: now + hourMs, endsAt: now + 2 * hourMs });
      await reservations().put({
        room: `${room}/late`,
        startsAt: now + 4 * hourMs,
        endsAt: now + 5 * hourMs,
      });
      expect(await mine()).toEqual([
        { room: `${room}/soon`, startsAt: now + hourMs, endsAt: now + 2 * hourMs },
        { room: `${room}/late`, startsAt: now + 4 * hourMs, endsAt: now + 5 * hourMs },
      ]);
      expect(await reservations().remove(`${room}/soon`)).toBe(true);
      expect(await reservations().remove(`${room}/soon`)).toBe(false);
    });

    it('drops those that are over and no others', async () => {
      const room = context.room();
      const now = Date.now();
      await reservations().put({ room: `${room}/over`, startsAt: now - 2 * hourMs, endsAt: now - hourMs });
      await reservations().put({ room: `${room}/runs`, startsAt: now - hourMs, endsAt: now + hourMs });
      expect(await reservations().expire()).toBeGreaterThan(0);
      expect((await mine()).map((one) => one.room)).toEqual([`${room}/runs`]);
    });
  });
}
