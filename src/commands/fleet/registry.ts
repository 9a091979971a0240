import type { Registry } from "../../cli/run-subcommand.js";
import { FLEET_SPECS } from "./specs.js";

/** The actions of fleet. */
export const FLEET_REGISTRY: Registry = {
  specs: FLEET_SPECS,
  loaders: {
    "fleet init": () => import("./init/run.js"),
    "fleet publish": () => import("./publish/run.js"),
    "fleet history": () => import("./history/run.js"),
    "fleet show": () => import("./show/run.js"),
    "fleet diff": () => import("./diff/run.js"),
    "fleet rollback": () => import("./rollback/run.js"),
    "fleet rollout": () => import("./rollout/run.js"),
    "fleet status": () => import("./status/run.js"),
    "fleet drain": () => import("./drain/run.js"),
    "fleet undrain": () => import("./undrain/run.js"),
    "fleet override": () => import("./override/run.js"),
    "fleet forget": () => import("./forget/run.js"),
    "fleet agent": () => import("./agent/run.js"),
  },
};
