import { RevisionError } from "../../src/fleet/fleet-error.js";
import type { FleetKeys } from "../../src/fleet/keys.js";
import { publish } from "../../src/fleet/publish.js";
import { StoreError } from "../../src/store/store-error.js";
import type { Store } from "../../src/store/store.js";
import { webTable } from "./rig.js";

/** Publishes a table, and repeats that as a person would until the store works. @returns the revision */
export async function publishSurely(
  store: Store,
  keys: FleetKeys,
  hosts: readonly string[],
  id: string,
): Promise<number> {
  for (let attempt = 1; ; attempt++)
    try {
      const { revision } = await publish(store, keys, {
        name: "web",
        table: webTable(...hosts),
        author: "alice",
        message: id,
        at: "2026-01-02T03:04:05.000Z",
        id: `${id} ${attempt}`,
        release: true,
        force: true,
        allowEmpty: false,
      });
      return revision.revision;
    } catch (error) {
      const transient =
        error instanceof StoreError ||
        (error instanceof RevisionError && error.kind === "head-moved");
      if (!transient || attempt === 20) throw error;
    }
}
