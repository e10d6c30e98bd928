import { describe } from 'vitest';
import { correctionContract } from './store-contract/correction-contract.ts';
import { demandContract, inboxContract } from './store-contract/demand-contract.ts';
import { keyContract } from './store-contract/key-contract.ts';
import { leaseContract } from './store-contract/lease-contract.ts';
import { lifecycleContract } from './store-contract/lifecycle-contract.ts';
import { operationsContract } from './store-contract/operations-contract.ts';
import { recordContract } from './store-contract/record-contract.ts';
import { removalContract } from './store-contract/removal-contract.ts';
import { reservationContract } from './store-contract/reservation-contract.ts';
import { searchContract } from './store-contract/search-contract.ts';
import { type ContractContext, type StoreUnderTest, useStore } from './store-contract/under-test.ts';

export type { StoreUnderTest };

/** What every implementation of the `Store` port must do. `makeStore` gives a started store on an empty database. */
export function storeContract(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    const context: ContractContext = useStore(makeStore);
    leaseContract(context);
    demandContract(context);
    inboxContract(context);
    reservationContract(context);
    keyContract(context);
    recordContract(context);
    searchContract(context);
    correctionContract(context);
    removalContract(context);
    operationsContract(context);
    lifecycleContract(context);
  });
}
