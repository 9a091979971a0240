import { testStore } from "./contract.js";
import { MemoryCluster } from "./memory-store.js";

testStore("the model of etcd", () => {
  const cluster = new MemoryCluster();
  return {
    store: cluster.client(),
    compact() {
      cluster.compact();
      return Promise.resolve();
    },
    leaseEnds(seconds) {
      cluster.pass(seconds);
      return Promise.resolve();
    },
  };
});
