import { examine } from "../../doctor/check.js";
import { gatherDirector } from "../../doctor/director/gather.js";
import { needsProbe } from "../../doctor/needs-probe.js";
import { kindNamed, kindOf, KINDS } from "../../doctor/findings.js";
import { REAL_SERVER_CHECKS } from "../../doctor/real-server/checks.js";
import { gatherRealServer } from "../../doctor/real-server/gather.js";
import { answerWays } from "../../doctor/real-server/near-clients.js";
import { jsonText } from "../../document/json-text.js";
import { oneService, selects } from "../../grammar/selector.js";
import type { ServiceWithServers } from "../../ipvs/model.js";
import type { Io } from "../../runtime/io.js";
import { UsageError } from "../../cli/errors.js";
import { nearest } from "../../text/nearest.js";
import type { Arguments } from "../../cli/parser.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import { readService } from "../../cli/selectors.js";
import { examineDirector } from "./examine-director.js";
import { explanationOf, kindLines } from "./explain.js";
import { followClient, traceJson, traceText } from "./client.js";
import { addressOf, readCircumstances } from "./real-server-options.js";
import { packetReport, watchServer } from "./server-packets.js";
import { reportJson, reportLines, type Report } from "./report.js";

export const run: RunSubcommand = async (call) => {
  const { given, output } = call;
  const explained = given.text("explain");
  if (explained !== undefined) {
    output.write(explanationOf(known(explained), output));
    return EXIT.ok;
  }
  if (given.flag("list")) {
    output.lines(kindLines(KINDS, output));
    return EXIT.ok;
  }
  const followed = await clientOf(call);
  if (followed) return follow(call, followed);
  const report = await reportOn(call);
  if (given.text("output") === "json")
    output.write(`${jsonText(reportJson(report))}\n`);
  else output.write(reportLines(report, output));
  return statusOf(report);
};

/** The client to follow on a director; undefined if none is named, or a real server is examined. */
async function clientOf({ given, io }: Invocation) {
  const text = given.text("client");
  const there = given.list("real-server").length > 0;
  if (there && given.duration("for") !== undefined && text === undefined)
    throw new UsageError(
      "--for with --real-server looks at packets of a client; name one with --client",
      "doctor",
    );
  if (there || text === undefined) return undefined;
  const address = addressOf(given, "client");
  const choose = await chooser(given.positionals, io);
  return address && { address, choose };
}

const USUAL_SECONDS = 10;
const TRACE_NEEDS = new Set([
  "table",
  "network",
  "connections",
  "sysctls",
  "firewall",
  "daemons",
] as const);

async function follow(
  { given, io, output }: Invocation,
  { address, choose }: NonNullable<Awaited<ReturnType<typeof clientOf>>>,
): Promise<number> {
  const { facts, reasons } = await gatherDirector(io, {
    choose,
    needs: TRACE_NEEDS,
    probe: false,
    client: address,
  });
  const seconds = given.duration("for") ?? USUAL_SECONDS;
  const trace = await followClient(io, facts, address, seconds);
  if (!trace) {
    output.complain(
      `cannot follow a client: ${[...new Set(reasons.values())].join("; ")}`,
    );
    return EXIT.unavailable;
  }
  if (given.text("output") === "json")
    output.write(`${jsonText(traceJson(trace))}\n`);
  else output.write(traceText(trace, output));
  return trace.stopsAt ? EXIT.failed : EXIT.ok;
}

async function reportOn({ given, io }: Invocation): Promise<Report> {
  const wanted = wantedIds(given);
  const circumstances = await readCircumstances(given, io);
  const probe = given.flag("probe");
  if (circumstances) {
    const { client } = circumstances;
    const seconds = given.duration("for");
    const watched =
      client && seconds !== undefined
        ? await watchServer(io, circumstances, client, seconds)
        : undefined;
    const looked = (id: string) => wanted(id) && (probe || !needsProbe(id));
    const { facts, ...rest } = await gatherRealServer(io, circumstances, probe);
    const packets =
      watched && facts.realServer
        ? packetReport(watched, facts.realServer)
        : undefined;
    const examination = examine(REAL_SERVER_CHECKS, facts, looked);
    const answers = facts.realServer && answerWays(facts.realServer);
    return {
      role: "real server",
      ...examination,
      ...rest,
      notChecked: [...(packets?.notChecked ?? []), ...rest.notChecked],
      answers,
      packets,
    };
  }
  const choose = await chooser(given.positionals, io);
  return examineDirector(io, choose, wanted, probe, given.duration("for"));
}

/** The kinds that `--only` and `--skip` leave, by their ids. */
function wantedIds(given: Arguments): (id: string) => boolean {
  const only = new Set(given.list("only").map((id) => known(id).id));
  const skip = new Set(given.list("skip").map((id) => known(id).id));
  return (id) => (only.size === 0 || only.has(id)) && !skip.has(id);
}

/** Picks the named services; all if none is named. */
async function chooser(
  words: readonly string[],
  io: Io,
): Promise<(table: ServiceWithServers[]) => ServiceWithServers[]> {
  const named = await Promise.all(
    words.map(async (text) => ({
      text,
      selector: await readService(text, io.names),
    })),
  );
  return (table) => {
    if (named.length === 0) return table;
    const some = table.filter(({ key }) =>
      named.some(({ selector }) => selects(selector, key)),
    );
    // A word that fits several services means all of them; one that fits none is an error.
    for (const { text, selector } of named)
      if (!some.some(({ key }) => selects(selector, key)))
        oneService(text, selector, some);
    return some;
  };
}

/** The kind with an id. @throws {UsageError} if there is none */
function known(id: string) {
  const kind = kindNamed(id);
  if (kind) return kind;
  const meant = nearest(
    id,
    KINDS.map((one) => one.id),
  );
  throw new UsageError(
    `there is no finding ${id} ('ipvsadm doctor --list' lists them)`,
    "doctor",
    meant,
  );
}

function statusOf({ findings, unexamined, reasons, packets }: Report): number {
  if (packets?.facts.some(({ state }) => state === "stops")) return EXIT.failed;
  if (findings.some((finding) => kindOf(finding).severity === "error"))
    return EXIT.failed;
  const barred = unexamined.some(({ wanting }) => reasons.has(wanting));
  return barred ? EXIT.unavailable : EXIT.ok;
}
