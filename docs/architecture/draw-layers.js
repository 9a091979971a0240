// npm run layers: draws layers.svg, the folders of src and bin with their imports, as dependency-cruiser finds them.
import { writeFileSync } from "node:fs";
import process from "node:process";
import { URL } from "node:url";
import { Graphviz } from "@hpcc-js/wasm-graphviz";
import { cruise } from "dependency-cruiser";
import config from "../../.dependency-cruiser.js";

const TITLES = {
  bin: "bin\\nlaunchers",
  entries: "main.ts, subcommands.ts, index.ts\\nentry points",
  classic: "classic\\nthe classic options",
  commands: "commands\\nthe subcommands",
  http: "http\\nHTTP server",
  page: "page\\nthe statistics page",
  cli: "cli\\nwhat subcommands share",
  library: "library\\nthe public functions",
  drain: "drain\\nweights of several servers",
  doctor: "doctor\\nfindings",
  setup: "setup\\nwhat each machine needs",
  fleet: "fleet\\nmany directors, one table",
  store: "store\\nthe client of etcd",
  plan: "plan\\ncompare, apply, roll back",
  rules: "rules\\nrule files and their errors",
  document: "document\\nJSON and YAML",
  grammar: "grammar\\nthe classic language",
  view: "view\\nmodel to lines",
  text: "text\\nbuilding text",
  ipvs: "ipvs\\nmodel and client",
  rtnl: "rtnl\\nlinks, addresses, routes",
  netlink: "netlink\\nmessages and sockets",
  runtime: "runtime\\nIo on each runtime",
  system: "system\\nfiles, names, signals",
};

/** The folder that a file is drawn as. */
function folderOf(file) {
  if (file.startsWith("bin/")) return "bin";
  return /^src\/([^/]+)\//.exec(file)?.[1] ?? "entries";
}

/** Draws the imports between folders. An arrow is left out where a longer path of arrows says the same. */
export async function drawLayers() {
  const { output } = await cruise(["src", "bin"], {
    ...config.options,
    ruleSet: { options: config.options },
  });
  const edges = new Map();
  for (const { source, dependencies } of output.modules)
    for (const { resolved } of dependencies) {
      const [from, to] = [folderOf(source), folderOf(resolved)];
      if (!/^(src|bin)\//.test(source) || !/^(src|bin)\//.test(resolved))
        continue;
      if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
  const reaches = (from, to) =>
    from === to ||
    [...(edges.get(from) ?? [])].some((next) => reaches(next, to));
  const lines = [];
  for (const from of [...edges.keys()].sort())
    for (const to of [...edges.get(from)].sort())
      if (
        ![...edges.get(from)].some((next) => next !== to && reaches(next, to))
      )
        lines.push(`${from} -> ${to};`);
  const folders = new Set([...edges].flatMap(([from, to]) => [from, ...to]));
  const nodes = [...folders]
    .sort()
    .map((name) => `${name} [label="${TITLES[name]}"];`);
  const graphviz = await Graphviz.load();
  return graphviz.dot(
    `digraph layers {
      bgcolor=white; rankdir=TB; nodesep=0.25; ranksep=0.35;
      node [shape=box, style="rounded,filled", fillcolor="#eef3fb", color="#4a6fa5", fontname="Helvetica", fontsize=11, margin="0.25,0.08"];
      edge [color="#4a6fa5", arrowsize=0.7];
      ${nodes.join(" ")} ${lines.join(" ")}
    }`,
  );
}

if (import.meta.filename === process.argv[1])
  writeFileSync(new URL("layers.svg", import.meta.url), await drawLayers());
