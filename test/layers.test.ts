import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { VERSION } from "../src/version.js";

/*
 * Which file may import which: arrows point down, or sideways within a folder. Read from the sources, so
 * from the root of the repository.
 */

const FLOORS: Readonly<Record<string, readonly string[]>> = {
  netlink: [],
  system: [],
  ipvs: ["netlink"],
  rtnl: ["netlink", "ipvs"],
  plan: ["ipvs", "netlink"],
  text: ["ipvs"],
  grammar: ["ipvs", "text"],
  view: ["ipvs", "text"],
  document: ["ipvs"],
  rules: ["grammar", "document", "ipvs", "system", "nearest"],
  nearest: [],
  naming: ["ipvs", "system"],
  access: ["ipvs", "netlink", "io"],
  progress: ["io"],
  doctor: ["grammar", "ipvs", "rtnl", "netlink", "system", "io", "access"],
  classic: [
    "grammar",
    "view",
    "text",
    "ipvs",
    "system",
    "netlink",
    "io",
    "version",
    "access",
    "naming",
    "progress",
  ],
  verbs: [
    "plan",
    "rtnl",
    "rules",
    "nearest",
    "grammar",
    "view",
    "text",
    "document",
    "doctor",
    "ipvs",
    "system",
    "netlink",
    "io",
    "version",
    "access",
    "naming",
    "progress",
  ],
  io: ["netlink", "system"],
  version: [],
  "system-io": ["io", "netlink", "system"],
  "node-io": ["io", "system-io", "netlink", "system"],
  "bun-io": ["io", "system-io", "netlink", "system"],
  open: ["ipvs", "netlink"],
  index: ["ipvs", "netlink", "open"],
  finish: ["io", "system"],
  main: ["classic", "finish", "io"],
  words: ["verbs", "finish", "io"],
  bin: ["main", "words", "node-io", "bun-io", "system"],
};

interface Import {
  readonly file: string;
  /** A file of ours, as its source; a package or a module of Node.js as it stands there */
  readonly target: string;
  readonly ours: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name));
}

const FILES = [...sources("src"), ...sources("bin")];

const IMPORTS: readonly Import[] = FILES.flatMap((file) => {
  const code = readFileSync(file, "utf8").replace(
    /^\s*(\/\*\*|\*|\/\/).*$/gm,
    "",
  );
  const found = code.matchAll(
    /\b(?:from|import|getBuiltinModule)\s*\(?\s*"([^"]+)"/g,
  );
  return Array.from(found, ([, specifier = ""]) => {
    const ours = specifier.startsWith(".");
    const target = ours
      ? join(dirname(file), specifier).replace(/\.js$/, ".ts")
      : specifier;
    return { file, target, ours };
  });
});

/** The floor of a file: its folder within src, or its own name if it stands there by itself. */
function floorOf(file: string): string {
  const [top = "", name = ""] = file.split("/");
  return top === "src" ? name.replace(/\.ts$/, "") : top;
}

test("the sources were found, and their imports", () => {
  assert.ok(FILES.length > 40);
  assert.ok(IMPORTS.length > 100);
  const targets = new Set(IMPORTS.map(({ target }) => target));
  assert.ok(targets.has("src/netlink/node-link.ts"), "a dynamic import");
});

test("every file stands on a floor", () => {
  for (const file of FILES) assert.ok(floorOf(file) in FLOORS, file);
});

test("imports of ours exist", () => {
  for (const { file, target, ours } of IMPORTS)
    if (ours) assert.ok(FILES.includes(target), `${file} imports ${target}`);
});

test("imports point down, or sideways within a folder", () => {
  for (const { file, target, ours } of IMPORTS) {
    if (!ours) continue;
    const [from, to] = [floorOf(file), floorOf(target)];
    assert.ok(
      from === to || FLOORS[from]?.includes(to),
      `${file} imports ${target}`,
    );
  }
});

test("the socket package is imported in one file", () => {
  const importing = IMPORTS.filter(({ target }) => /^netlink\b/.test(target));
  assert.deepEqual(
    importing.map(({ file }) => file),
    ["src/netlink/node-link.ts"],
  );
});

test("the runtime of the standalone executable is met in two files", () => {
  const importing = IMPORTS.filter(({ target }) => target.startsWith("bun:"));
  assert.deepEqual(
    importing.map(({ file }) => file),
    ["src/bun-io.ts", "src/netlink/ffi-link.ts"],
  );
});

test("Node.js itself is for the two lowest floors, other packages for the word verbs and their documents", () => {
  for (const { file, target, ours } of IMPORTS) {
    if (ours || /^(netlink\b|bun:)/.test(target)) continue;
    const floors = target.startsWith("node:")
      ? ["netlink", "system", "verbs"]
      : ["verbs", "document"];
    assert.ok(floors.includes(floorOf(file)), `${file} imports ${target}`);
  }
});

test("the packages that are imported are those that package.json names", () => {
  const { dependencies } = readPackage();
  const packages = IMPORTS.filter(
    ({ target, ours }) => !ours && !/^(node|bun):/.test(target),
  ).map(({ target }) => /^(@[^/]+\/)?[^/]+/.exec(target)?.[0]);
  assert.deepEqual(new Set(packages), new Set(Object.keys(dependencies)));
});

test("nothing imports the program or the library's face but the launchers", () => {
  for (const { file, target } of IMPORTS)
    if (/^src\/(main|words|index)\.ts$|^bin\//.test(target))
      assert.equal(floorOf(file), "bin", `${file} imports ${target}`);
});

/** The files that are loaded from some, be it at once or when they are needed. */
function reachedFrom(files: readonly string[]): Set<string> {
  const reached = new Set(files);
  for (const file of reached)
    for (const { file: from, target, ours } of IMPORTS)
      if (ours && from === file) reached.add(target);
  return reached;
}

test("every file is reached from a launcher or from the library's face", () => {
  const launchers = FILES.filter((file) => floorOf(file) === "bin");
  const reached = reachedFrom([...launchers, "src/index.ts"]);
  assert.deepEqual(
    FILES.filter((file) => !reached.has(file)),
    [],
  );
});

test("the classic commands reach nothing of the word verbs", () => {
  const reached = reachedFrom(["src/main.ts", "src/node-io.ts"]);
  assert.ok(reached.has("src/classic/run.ts"));
  assert.deepEqual(
    Array.from(reached).filter((file) =>
      ["verbs", "document"].includes(floorOf(file)),
    ),
    [],
  );
});

test("the library is the client and a socket of Node.js, and nothing else", () => {
  const reached = reachedFrom(["src/index.ts"]);
  assert.ok(reached.has("src/netlink/node-link.ts"));
  const floors = new Set(Array.from(reached, floorOf));
  assert.deepEqual(floors, new Set(["index", "open", "ipvs", "netlink"]));
  assert.ok(!reached.has("src/netlink/ffi-link.ts"));
});

test("the word verbs' packages are in their own bundle alone", () => {
  const marks = /yargs|FORCE_COLOR|ansi-styles|colWidths/;
  for (const name of ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"])
    assert.doesNotMatch(readFileSync(`dist/bin/${name}.cjs`, "utf8"), marks);
  const verbs = readdirSync("dist/bin").filter((name) => name.endsWith(".js"));
  assert.ok(
    verbs.some((name) => marks.test(readFileSync(`dist/bin/${name}`, "utf8"))),
  );
});

test("the version is that of package.json", () => {
  assert.equal(VERSION, readPackage().version);
});

function readPackage() {
  return JSON.parse(readFileSync("package.json", "utf8")) as {
    version: string;
    dependencies: Record<string, string>;
  };
}
