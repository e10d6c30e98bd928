import { DialogLensError } from '../errors.ts';
import { begins, ends } from '../lifetimes.ts';
import type { Logger } from '../observability/telemetry.ts';
import { migrate, readMigrations } from './migrations.ts';
import { apiKeyStore } from './queries/api-keys.ts';
import { auditLog } from './queries/audit.ts';
import { correctionStore } from './queries/corrections.ts';
import { demandStore } from './queries/demands.ts';
import { webhookInbox } from './queries/inbox.ts';
import { leaseStore } from './queries/leases.ts';
import { operationsStore } from './queries/operations.ts';
import { removalStore } from './queries/removal.ts';
import { reservationStore } from './queries/reservations.ts';
import { searchQueries } from './queries/search.ts';
import { segmentQueries } from './queries/segments.ts';
import { sessionQueries, trackQueries } from './queries/sessions.ts';
import { spanQueries } from './queries/spans.ts';
import type { SqlClient } from './sql-client.ts';
import type {
  ApiKeyStore,
  AuditLog,
  CorrectionStore,
  DemandStore,
  LeaseStore,
  OperationsStore,
  RecordStore,
  RemovalStore,
  ReservationStore,
  Store,
  WebhookInbox,
} from './store.ts';

/** The store on any database that speaks PostgreSQL's SQL. Owns its client. */
export class SqlStore implements Store {
  readonly kind: Store['kind'];
  readonly leases: LeaseStore;
  readonly demands: DemandStore;
  readonly reservations: ReservationStore;
  readonly record: RecordStore;
  readonly corrections: CorrectionStore;
  readonly removal: RemovalStore;
  readonly inbox: WebhookInbox;
  readonly audit: AuditLog;
  readonly keys: ApiKeyStore;
  readonly operations: OperationsStore;
  readonly #client: SqlClient;
  readonly #logger: Logger;
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(client: SqlClient, logger: Logger) {
    this.#client = client;
    this.#logger = logger;
    this.kind = client.kind;
    this.leases = leaseStore(client);
    this.demands = demandStore(client);
    this.reservations = reservationStore(client);
    this.record = {
      ...sessionQueries(client),
      ...trackQueries(client),
      ...segmentQueries(client),
      ...spanQueries(client),
      ...searchQueries(client),
    };
    this.corrections = correctionStore(client);
    this.removal = removalStore(client);
    this.inbox = webhookInbox(client);
    this.audit = auditLog(client);
    this.keys = apiKeyStore(client);
    this.operations = operationsStore(client);
  }

  start(): Promise<void> {
    this.#starting ??= this.#start().catch((thrown: unknown) => {
      this.#starting = null;
      throw thrown;
    });
    return this.#starting;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  async ping(): Promise<void> {
    await this.#client.query('select 1 as alive');
  }

  async now(): Promise<number> {
    const [row] = await this.#client.query<{ now: number }>('select clock_timestamp() as now');
    if (!row) throw new DialogLensError('internal', 'The database did not tell its time.');
    return row.now;
  }

  async #start(): Promise<void> {
    await this.#stopping;
    await this.#client.open();
    begins('store', this);
    try {
      const applied = await migrate(this.#client, await readMigrations());
      this.#logger.info({ store: this.kind, applied }, 'the store is open');
    } catch (thrown) {
      await this.#client.close();
      ends('store', this);
      throw thrown;
    }
  }

  async #stop(): Promise<void> {
    await Promise.allSettled([this.#starting]);
    this.#starting = null;
    await this.#client.close();
    ends('store', this);
  }
}
