import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import ts from "typescript";

const PROGRAM = resolve("dist/src/user.ts"); // not written: its text is below

/** A program that uses every part of the library, as its user would write it. */
const USE = `
import {
  drainServers, examineDirector, InvalidArgument, openIpvs, parseAddress, parseRules, parseService,
  planTable, PlanFailed, readMetrics, serviceSettings, topConnections, waitUntil,
} from "./index.js";

export async function use(): Promise<string[]> {
  await using ipvs = await openIpvs();
  const web = parseService("TCP 192.0.2.1:80");
  await ipvs.addService(web, serviceSettings(web, { scheduler: "wrr" }));
  const { table, findings, valid } = await parseRules("-A -t 192.0.2.1:80");
  const machine = parseAddress("10.0.0.11");
  try {
    const plan = await planTable(ipvs, table, { prune: false });
    await plan.apply({ lockSeconds: 5 });
    if (machine) await drainServers(ipvs, { machine });
    await waitUntil(ipvs, { service: web }, { kind: "state", state: "ok" }, { timeoutSeconds: 5 });
  } catch (error) {
    if (error instanceof PlanFailed) return error.notRolledBack.map(({ undo }) => undo.command);
    if (error instanceof InvalidArgument) return [error.path];
  }
  const metrics = await readMetrics(ipvs);
  const { rows } = await topConnections({ by: "client" });
  const report = await examineDirector();
  return [String(valid), ...findings.map(({ id }) => id), ...metrics.map(({ name }) => name),
    ...rows.map(({ name }) => name), ...report.findings.map(({ seen }) => seen)];
}
`;

/** Compiles a program against the declarations of the library, and checks these, too. @returns the errors */
function compile(program: string, options: ts.CompilerOptions): string[] {
  const settings: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: [],
    ...options,
  };
  const host = ts.createCompilerHost(settings);
  const withProgram: ts.CompilerHost = {
    ...host,
    fileExists: (name) => name === PROGRAM || host.fileExists(name),
    readFile: (name) => (name === PROGRAM ? program : host.readFile(name)),
    getSourceFile: (name, ...rest) =>
      name === PROGRAM
        ? ts.createSourceFile(name, program, ts.ScriptTarget.ES2022)
        : host.getSourceFile(name, ...rest),
  };
  const all = ts.getPreEmitDiagnostics(
    ts.createProgram([PROGRAM], settings, withProgram),
  );
  return all.map(({ messageText, file, start }) => {
    const at = file && ts.getLineAndCharacterOfPosition(file, start ?? 0);
    const text = ts.flattenDiagnosticMessageText(messageText, "\n");
    return `${file?.fileName ?? ""}:${(at?.line ?? 0) + 1}: ${text}`;
  });
}

test("the declarations compile with lib es2022, without those of Node.js, and with skipLibCheck off", () => {
  assert.deepEqual(compile(USE, { lib: ["lib.es2022.d.ts"] }), []);
});

test("the declarations compile beside those of browsers", () => {
  const lib = ["lib.es2022.d.ts", "lib.dom.d.ts"];
  const stop = `
import { openIpvs, parseService, waitUntil } from "./index.js";
const ipvs = await openIpvs();
const { end } = await waitUntil(
  ipvs, { service: parseService("FWM 7") }, { kind: "drained" }, { signal: new AbortController().signal },
);
export const reached: boolean = end === "reached";
`;
  assert.deepEqual(compile(stop, { lib }), []);
});

test("the declarations find a wrong call", () => {
  const wrong = `
import { openIpvs, parseService } from "./index.js";
const ipvs = await openIpvs();
await ipvs.addService(parseService("FWM 7"), { scheduler: "rr" });
`;
  const [error = "", ...others] = compile(wrong, { lib: ["lib.es2022.d.ts"] });
  assert.match(error, /missing the following properties.*flags/);
  assert.deepEqual(others, []);
});
