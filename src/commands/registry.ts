import type { Registry } from "../cli/run-subcommand.js";
import { SPECS } from "./specs.js";

/** The subcommands of the program. */
export const REGISTRY: Registry = {
  specs: SPECS,
  loaders: {
    apply: () => import("./apply/run.js"),
    check: () => import("./check/run.js"),
    completion: () => import("./completion/run.js"),
    connections: () => import("./connections/run.js"),
    diff: () => import("./diff/run.js"),
    doctor: () => import("./doctor/run.js"),
    drain: () => import("./drain/run.js"),
    help: () => import("./help/run.js"),
    list: () => import("./list/run.js"),
    metrics: () => import("./metrics/run.js"),
    monitor: () => import("./monitor/run.js"),
    restore: () => import("./restore/run.js"),
    save: () => import("./save/run.js"),
    serve: () => import("./serve/run.js"),
    setup: () => import("./setup/run.js"),
    status: () => import("./status/run.js"),
    undrain: () => import("./undrain/run.js"),
    wait: () => import("./wait/run.js"),
    watch: () => import("./watch/run.js"),
  },
  groups: {
    fleet: async () => (await import("./fleet/registry.js")).FLEET_REGISTRY,
  },
};
