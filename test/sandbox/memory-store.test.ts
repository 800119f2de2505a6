import { historyOf, memoryStore, memoryTable, plantRow } from '../../lib/sandbox/memory-store.ts';
import { storeContract } from '../contract/store-contract.ts';

storeContract('the store in memory', async () => {
  const table = memoryTable();
  return {
    invocation: (writer) => memoryStore(table, writer),
    plant: async (row) => plantRow(table, row),
    history: async () => historyOf(table).toSorted((a, b) => b.claimedAt - a.claimedAt),
  };
});
