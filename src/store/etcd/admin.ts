import { StoreError } from "../store-error.js";
import type { Cluster } from "./cluster.js";
import { afterPrefix, bytesOf } from "./keys.js";
import { Permission_Type } from "./rpc_pb.js";

/** What a role may do with all keys that begin with a text. */
export interface Grant {
  readonly prefix: string;
  readonly access: "read" | "readwrite";
}

/** Creates roles and users of etcd. What exists already is no error. */
export class EtcdAdmin {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** @throws {StoreError} */
  async addRole(name: string, grants: readonly Grant[]): Promise<void> {
    await this.#unlessExists(() =>
      this.#cluster.call("always", ({ auth }, options) =>
        auth.roleAdd({ name }, options),
      ),
    );
    for (const { prefix, access } of grants) {
      const key = bytesOf(prefix);
      const permType =
        access === "read" ? Permission_Type.READ : Permission_Type.READWRITE;
      const perm = { permType, key, rangeEnd: afterPrefix(key) };
      await this.#cluster.call("always", ({ auth }, options) =>
        auth.roleGrantPermission({ name, perm }, options),
      );
    }
  }

  /** Adds a user without a password: the CN of a client's certificate. @throws {StoreError} */
  async addUser(name: string, roles: readonly string[]): Promise<void> {
    await this.#unlessExists(() =>
      this.#cluster.call("always", ({ auth }, options) =>
        auth.userAdd({ name, options: { noPassword: true } }, options),
      ),
    );
    for (const role of roles)
      await this.#cluster.call("always", ({ auth }, options) =>
        auth.userGrantRole({ user: name, role }, options),
      );
  }

  /** From now on, etcd checks permissions. @throws {StoreError} `other` if there is no user root with the role root */
  async enable(): Promise<void> {
    await this.#cluster.call("always", ({ auth }, options) =>
      auth.authEnable({}, options),
    );
  }

  async #unlessExists(add: () => Promise<unknown>): Promise<void> {
    try {
      await add();
    } catch (error) {
      const exists =
        error instanceof StoreError && error.detail.includes("already exists");
      if (!exists) throw error;
    }
  }
}
