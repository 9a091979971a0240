/*
 * Which folder may import which: `npm run lint` checks it, and `npm run layers` draws docs/architecture/layers.svg.
 * Imports point down, or sideways within a folder. Dynamic imports count.
 */

/** Each folder of src, and the folders below that it may import. */
const LAYERS = {
  page: ["ipvs"],
  text: ["ipvs"],
  netlink: [],
  system: [],
  store: [],
  ipvs: ["netlink"],
  rtnl: ["netlink", "ipvs"],
  runtime: ["ipvs", "netlink", "system", "text"],
  grammar: ["ipvs", "text"],
  view: ["ipvs", "text"],
  document: ["grammar", "ipvs", "text"],
  drain: ["grammar", "ipvs", "netlink", "plan", "system"],
  plan: ["ipvs", "netlink"],
  fleet: [
    "document",
    "grammar",
    "ipvs",
    "plan",
    "rules",
    "store",
    "system",
    "text",
  ],
  rules: ["grammar", "document", "ipvs", "system", "text"],
  setup: ["ipvs"],
  doctor: [
    "grammar",
    "ipvs",
    "rtnl",
    "netlink",
    "system",
    "runtime",
    "text",
    "view",
  ],
  classic: ["grammar", "view", "text", "ipvs", "system", "netlink", "runtime"],
  cli: [
    "document",
    "drain",
    "grammar",
    "ipvs",
    "netlink",
    "plan",
    "rtnl",
    "rules",
    "runtime",
    "system",
    "text",
    "view",
  ],
};

LAYERS.http = ["cli", ...LAYERS.cli];

// Subcommands may import what they share, and all that it imports.
LAYERS.commands = [
  "http",
  "page",
  "doctor",
  "fleet",
  "setup",
  "store",
  ...LAYERS.http,
];
// The library has functions of subcommands whose code is in their folders.
LAYERS.library = ["commands", ...LAYERS.commands];

/** The folders of src/doctor/director. Each may import those before it; checks.ts and gather.ts import all. */
const DIRECTOR = [
  "kinds",
  "reach",
  "firewall",
  "machine",
  "marks",
  "nat",
  "sync",
  "table",
  "ways",
  "connections",
  "servers",
  "client",
];

const directorRules = DIRECTOR.map((folder, place) => ({
  name: `director-${folder}`,
  comment: `src/doctor/director/${folder} may import ${DIRECTOR.slice(0, place).join(", ") || "no other folder there"}`,
  severity: "error",
  from: { path: `^src/doctor/director/${folder}/` },
  to: {
    path: "^src/doctor/director/",
    pathNot: `^src/doctor/director/(${DIRECTOR.slice(0, place + 1).join("|")})/`,
  },
}));

const layerRules = Object.entries(LAYERS).map(([folder, below]) => ({
  name: `layer-${folder}`,
  comment: `src/${folder} may import ${below.join(", ") || "no other folder"}`,
  severity: "error",
  from: { path: `^src/${folder}/` },
  to: {
    path: "^(src|bin)/",
    pathNot: `^src/(${[folder, ...below].join("|")})/`,
  },
}));

export default {
  forbidden: [
    ...layerRules,
    ...directorRules,
    {
      name: "known-director-folder",
      comment: "a new folder of src/doctor/director needs a line in DIRECTOR",
      severity: "error",
      from: {
        path: "^src/doctor/director/.*/",
        pathNot: `^src/doctor/director/(${DIRECTOR.join("|")})/`,
      },
      to: {},
    },
    {
      name: "known-folder",
      comment:
        "a new folder of src needs a line in LAYERS; only entry points lie at the top",
      severity: "error",
      from: {
        path: "^src/",
        pathNot: `^src/((${Object.keys(LAYERS).join("|")})/|(index|main|subcommands)\\.ts$)`,
      },
      to: {},
    },
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-orphans",
      comment:
        "every file is reached from a launcher, from the library or from the page",
      severity: "error",
      from: { path: "^(bin/[^/]+|src/index|src/page/main)\\.ts$" },
      to: {
        path: "^src/",
        pathNot: "\\.d\\.ts$|^src/(index|page/main)\\.ts$",
        reachable: false,
      },
    },
    {
      name: "entry-points-on-top",
      comment: "only launchers import the entry points",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(src/(main|subcommands|index)\\.ts$|bin/)" },
    },
    {
      name: "classic-is-light",
      comment:
        "a classic command, and the light program, reach nothing of the subcommands",
      severity: "error",
      from: { path: "^(src/(main|runtime/node-io)|bin/light)\\.ts$" },
      to: {
        path: "^src/(cli|commands|doctor|document|fleet|plan|rules|store)/",
        reachable: true,
      },
    },
    {
      name: "library-is-light",
      comment:
        "importing the library loads the client, its checks and its error classes. It loads everything else when it is first called",
      severity: "error",
      from: { path: "^src/(index|library/[^/]+)\\.ts$" },
      to: {
        path: "^src/",
        pathNot:
          "^src/((index|library/[^/]+|drain/(no-saved-weight|server-in-table)|plan/(plan-failed|server-id)|system/(lock|clock|namespaces|random-name|files)|grammar/(selector|endpoint|numbers|usage-errors))\\.ts$|(ipvs|netlink)/)",
        dependencyTypesNot: ["dynamic-import", "type-only"],
      },
    },
    {
      name: "etcd-on-demand",
      comment: "the client of etcd is loaded when a command opens a store",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/store/etcd/" },
      to: {
        path: "^src/store/etcd/",
        dependencyTypesNot: ["dynamic-import", "type-only"],
      },
    },
    {
      name: "fleet-on-demand",
      comment: "serve loads what it needs of fleet for --fleet only",
      severity: "error",
      from: {
        path: "^src/commands/serve/",
        pathNot: "^src/commands/serve/fleet/",
      },
      to: {
        path: "^src/(fleet|commands/fleet|commands/serve/fleet)/",
        dependencyTypesNot: ["dynamic-import", "type-only"],
      },
    },
    {
      name: "doctor-on-demand",
      comment: "an agent loads doctor when a rollout asks for it",
      severity: "error",
      from: { path: "^src/commands/fleet/" },
      to: {
        path: "^src/doctor/",
        dependencyTypesNot: ["dynamic-import", "type-only"],
      },
    },
    {
      name: "page-events",
      comment: "the program knows the events of the page, and the built page",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/page/" },
      to: {
        path: "^src/page/",
        pathNot: "^src/page/(events\\.ts|built-page\\.d\\.ts)$",
      },
    },
    {
      name: "page-imports",
      comment:
        "the page takes words from the model, and nothing that talks to a kernel",
      severity: "error",
      from: { path: "^src/page/" },
      to: { path: "^src/", pathNot: "^src/(page/|ipvs/schedulers\\.ts$)" },
    },
    {
      name: "socket-package",
      comment: "one file imports the npm package netlink",
      severity: "error",
      from: { pathNot: "^src/netlink/node-link\\.ts$" },
      to: { path: "^node_modules/netlink/" },
    },
    {
      name: "bun-runtime",
      comment: "two files know Bun",
      severity: "error",
      from: { pathNot: "^src/(runtime/bun-io|netlink/bun-link)\\.ts$" },
      to: { path: "^bun:" },
    },
    {
      name: "packages",
      comment: "packages are for subcommands, documents and the client of etcd",
      severity: "error",
      from: {
        path: "^(src|bin)/",
        pathNot: "^src/(cli|commands|document|page|store/etcd)/|^bin/page/",
      },
      to: {
        path: "^node_modules/",
        pathNot: "^node_modules/(netlink|@types)/",
      },
    },
    {
      name: "builtin-modules",
      comment:
        "modules of Node.js are for the lowest layers, the subcommands, and what builds and installs",
      severity: "error",
      from: {
        path: "^(src|bin)/",
        pathNot:
          "^(src/(netlink|system|cli|http|commands)|bin/(full|npm|page|package))/",
      },
      to: { dependencyTypes: ["core"], pathNot: "^bun:" },
    },
    {
      name: "declared-packages",
      comment: "package.json names what is imported, as a dependency",
      severity: "error",
      from: { path: "^(src|bin)/", pathNot: "^(src|bin)/page/" },
      to: {
        dependencyTypes: [
          "npm-dev",
          "npm-optional",
          "npm-peer",
          "npm-no-pkg",
          "npm-unknown",
        ],
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "resolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^bun:" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exoticRequireStrings: ["process.getBuiltinModule"],
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".js", ".d.ts"],
    },
    reporterOptions: {
      archi: {
        collapsePattern: "^(src/[^/]+|bin|node_modules/(@[^/]+/)?[^/]+)",
      },
    },
  },
};
