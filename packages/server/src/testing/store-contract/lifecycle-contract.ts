import { describe, expect, it } from 'vitest';
import { type ContractContext, final, scene } from './under-test.ts';

export function lifecycleContract(context: ContractContext): void {
  describe('life', () => {
    it('starts twice without harm and keeps its data over a restart', async () => {
      const here = await scene(context);
      const { store } = context.under();
      const stored = final(here, 'a', 0, 100);
      await store.record.writeFinals(here.tenure, [stored]);
      await store.start();
      await store.stop();
      await store.stop();
      await store.start();
      await store.ping();
      expect((await store.record.segments(here.session.id, { limit: 1 })).items).toEqual([stored.segment]);
      expect((await store.record.openTrack(here.tenure, here.track))?.id).toBe(here.track.id);
    });

    it('says that it is unavailable when it is stopped', async () => {
      const { store } = context.under();
      await store.stop();
      await expect(store.ping()).rejects.toMatchObject({ code: 'store_unavailable' });
      await expect(store.leases.list()).rejects.toMatchObject({ code: 'store_unavailable' });
      await store.start();
    });

    it('tells the time of its own clock', async () => {
      const { store } = context.under();
      const before = await store.now();
      expect(Math.abs(before - Date.now())).toBeLessThan(60_000);
      expect(await store.now()).toBeGreaterThanOrEqual(before);
    });

    it('refuses a database of a newer version', async () => {
      const { store, sql } = context.under();
      await sql(`insert into schema_migration (version, name, checksum) values (9999, 'future', 'x')`);
      await store.stop();
      await expect(store.start()).rejects.toMatchObject({ code: 'store_newer' });
      await sql('delete from schema_migration where version = 9999');
      await store.start();
    });

    it('refuses a migration that was changed', async () => {
      const { store, sql } = context.under();
      await sql(`update schema_migration set checksum = 'x' || checksum where version = 1`);
      await store.stop();
      await expect(store.start()).rejects.toMatchObject({ code: 'store_migration_changed' });
      await sql('update schema_migration set checksum = substr(checksum, 2) where version = 1');
      await store.start();
    });
  });
}
