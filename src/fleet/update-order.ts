import type { Store } from "../store/store.js";
import type { FleetKeys } from "./keys.js";
import { NO_ORDER, readOrder, type Order } from "./order.js";
import { recordBytes } from "./record.js";
import { repeatWrite, untilCommitted } from "./repeat-write.js";

/**
 * Changes the order of a director, while others may change it, too.
 *
 * @param change may be called several times, also with its own result
 * @throws {StoreError} {ContendedKey}
 */
export async function updateOrder(
  store: Store,
  keys: FleetKeys,
  director: string,
  change: (order: Order) => Order,
): Promise<Order> {
  const key = keys.order(director);
  return untilCommitted(key, async () => {
    const { found } = await store.get(key);
    const order = change(found ? readOrder(found) : NO_ORDER);
    // After a lost answer, the condition is not met, and the order is read again.
    const { succeeded } = await repeatWrite(() =>
      store.commit(
        [{ key, revision: found?.revision ?? 0n }],
        [{ put: key, value: recordBytes(order) }],
      ),
    );
    return succeeded ? order : undefined;
  });
}
