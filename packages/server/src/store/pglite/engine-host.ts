import { type MessagePort, parentPort } from 'node:worker_threads';
import { PGlite, type Transaction } from '@electric-sql/pglite';
import { btree_gist } from '@electric-sql/pglite/contrib/btree_gist';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { asError } from '../../errors.ts';
import { int8Oid, parseInstant, timestamptzOid } from '../sql-client.ts';
import { type EngineAnswer, type EngineRequest, failureOf } from './engine-messages.ts';

interface OpenTransaction {
  tx: Transaction;
  /** Resolves when it is committed; rejects when it could not be. */
  commit(): Promise<void>;
  /** Resolves when everything it did is undone. */
  rollback(): Promise<void>;
  /** Settles with whichever of the two it came to. */
  over: Promise<void>;
}

/** The thread in which the embedded database computes and writes its files. */
function serve(port: MessagePort): void {
  const engine = new Engine();
  port.on('message', (request: EngineRequest) => {
    void engine.answer(request).then((answer) => port.postMessage(answer));
  });
}

/** One database, whose engine runs one statement or transaction after the other. */
class Engine {
  readonly #running = new Set<Promise<unknown>>();
  readonly #transactions = new Map<number, OpenTransaction>();
  #db: PGlite | null = null;

  /** Never throws: a failure is an answer too. */
  async answer(request: EngineRequest): Promise<EngineAnswer> {
    const { id } = request;
    const work = this.#do(request);
    if (request.do !== 'close') this.#track(work);
    try {
      return { id, rows: await work };
    } catch (thrown) {
      return { id, failed: failureOf(asError(thrown)) };
    }
  }

  #track(work: Promise<unknown>): void {
    this.#running.add(work);
    const done = () => this.#running.delete(work);
    work.then(done, done);
  }

  async #do(request: EngineRequest): Promise<object[]> {
    switch (request.do) {
      case 'open':
        this.#db = await openDatabase(request.dataDir);
        return [];
      case 'query': {
        const on = request.transaction === null ? this.#opened() : this.#transaction(request.transaction).tx;
        return (await on.query<object>(request.text, request.values, { parsers })).rows;
      }
      case 'script':
        await this.#transaction(request.transaction).tx.exec(request.text);
        return [];
      case 'begin': {
        const transaction = await begin(this.#opened());
        this.#transactions.set(request.transaction, transaction);
        this.#track(transaction.over);
        return [];
      }
      case 'end':
        await this.#end(request.transaction, request.by);
        return [];
      case 'close':
        await this.#close();
        return [];
    }
  }

  async #end(number: number, by: 'commit' | 'rollback'): Promise<void> {
    const transaction = this.#transaction(number);
    this.#transactions.delete(number);
    await transaction[by]();
  }

  async #close(): Promise<void> {
    // What is under way may bring more: a transaction has statements still to come.
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    const db = this.#db;
    this.#db = null;
    await db?.close();
  }

  #opened(): PGlite {
    if (this.#db) return this.#db;
    throw new Error('The database is not open.');
  }

  #transaction(number: number): OpenTransaction {
    const transaction = this.#transactions.get(number);
    if (transaction) return transaction;
    throw new Error('There is no such transaction.');
  }
}

const parsers = { [int8Oid]: Number, [timestamptzOid]: parseInstant };

function openDatabase(dataDir: string | null): Promise<PGlite> {
  const extensions = { btree_gist, pg_trgm };
  return PGlite.create(dataDir === null ? { extensions } : { dataDir, extensions });
}

/** Resolves when the transaction has begun: all other statements wait for its end from here on. */
function begin(db: PGlite): Promise<OpenTransaction> {
  const undone = new Error('The transaction is rolled back.');
  return new Promise((begun, failed) => {
    const over: Promise<void> = db.transaction(
      (tx) =>
        new Promise<void>((commit, rollback) => {
          begun({
            tx,
            over,
            commit() {
              commit();
              return over;
            },
            rollback() {
              rollback(undone);
              return over.catch((thrown: unknown) => {
                if (thrown !== undone) throw thrown;
              });
            },
          });
        }),
    );
    over.catch(failed);
  });
}

if (parentPort) serve(parentPort);
