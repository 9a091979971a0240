import { UsageError } from "../../../cli/errors.js";
import { escapeControls } from "../../../cli/escape.js";
import { EXIT } from "../../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../../cli/invocation.js";
import type { AgentSettings } from "../../../fleet/agent/agent-environment.js";
import { runAgent, type AgentTimes } from "../../../fleet/agent/run-agent.js";
import { isFleetName } from "../../../fleet/keys.js";
import { VERSION } from "../../../runtime/version.js";
import { bytesOf, textOf } from "../../../system/files.js";
import { hostName } from "../../../system/host-name.js";
import { ServiceManager } from "../../../system/notify.js";
import {
  readConfiguration,
  type FleetConfiguration,
} from "../configuration.js";
import { fleetLine } from "../explain.js";
import { withStore } from "../open-store.js";
import { commonName } from "./certificate-name.js";
import { CopyFile } from "./copy-file.js";
import { KernelAccess } from "./kernel-access.js";
import { LocalDrains } from "./local-drains.js";
import { MachineExaminer } from "./machine-examiner.js";

/** How long one round of an agent takes at most, besides its pauses: calls of the store with their deadlines, and changes. */
const LONGEST_ROUND_MILLISECONDS = 120_000;

export const run: RunSubcommand = async (call) => {
  const { given, io, output } = call;
  const settings = settingsOf(call, readConfiguration(given));
  const ended = new AbortController();
  const release = io.catchSignals(() => {
    ended.abort();
  });
  const log = (line: string) => {
    output.lines([escapeControls(line)]);
    io.flush();
  };
  using kernel = new KernelAccess(io, settings.dryRun);
  const drained = new LocalDrains(io);
  const copy = new CopyFile(given.text("copy") ?? "");
  copy.checkWritable(settings.dryRun);
  const times = timesOf(call);
  const manager = new ServiceManager(io);
  try {
    await withStore(call, ({ store, keys, configuration: { endpoints } }) => {
      log(
        `director ${settings.director}, table ${settings.table}, etcd at ${endpoints.join(", ")}`,
      );
      return runAgent(
        settings,
        {
          store,
          keys,
          kernel,
          disk: copy,
          bootId: bootId(io.procFolder),
          now: () => new Date().toISOString(),
          isDrainedHere: (service, server) => drained.has(service, server),
          explain: (error) => fleetLine(error, endpoints),
          log,
        },
        {
          times,
          pauses: {
            sleep: (milliseconds, signal) =>
              io.clock.sleep(milliseconds, signal),
            random: Math.random,
          },
          examiner: new MachineExaminer(io),
          signal: ended.signal,
          alive: aliveNotifier(manager, io.clock, times, log),
        },
      );
    });
  } finally {
    manager.stopping();
    release();
  }
  log("ended; the table stays as it is");
  return EXIT.ok;
};

/** Tells systemd that the agent is ready, and what it does. Keeps the watchdog quiet while the agent works. */
function aliveNotifier(
  manager: ServiceManager,
  clock: Invocation["io"]["clock"],
  { interval, splay }: AgentTimes,
  log: (line: string) => void,
) {
  let last: { readonly at: number; readonly status: string } | undefined;
  const isAlive = () =>
    last !== undefined &&
    clock.now() - last.at < interval + splay + LONGEST_ROUND_MILLISECONDS;
  return async (status: string): Promise<void> => {
    const before = last;
    last = { at: clock.now(), status };
    if (!before) {
      const fault = await manager.ready(isAlive);
      if (fault !== undefined) log(fault);
    }
    if (before?.status !== status) manager.status(status);
  };
}

function settingsOf(
  { given }: Invocation,
  { director, cert }: FleetConfiguration,
): AgentSettings {
  const table = given.text("table") ?? director.table;
  const usage = (fault: string) => new UsageError(fault, "fleet agent");
  if (table === undefined) throw usage("missing option --table");
  if (!isFleetName(table))
    throw usage(`--table ${escapeControls(table)}: not the name of a table`);
  const certificate = cert === undefined ? undefined : bytesOf(cert);
  const name =
    given.text("director") ??
    director.name ??
    (certificate && commonName(certificate)) ??
    hostName();
  if (!isFleetName(name))
    throw usage(`--director ${escapeControls(name)}: not a name of a director`);
  const labels = given.list("label");
  return {
    director: name,
    table,
    labels: labelsOf(labels.length > 0 ? labels : director.labels),
    heals: given.flag("heal"),
    dryRun: given.flag("dry-run"),
    mostRemovals: (given.number("max-removals") ?? 50) / 100,
    version: VERSION,
  };
}

function labelsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new UsageError(
        `--label ${escapeControls(text)}: expected KEY=VALUE`,
        "fleet agent",
      );
    }),
  );
}

function timesOf({ given }: Invocation): AgentTimes {
  const milliseconds = (option: string) => (given.duration(option) ?? 0) * 1000;
  const report = Math.max(milliseconds("report"), 1000);
  return {
    splay: milliseconds("splay"),
    interval: Math.max(milliseconds("interval"), 1000),
    drain: 2000,
    report,
    silence: 3 * report,
  };
}

function bootId(procFolder: string): string {
  const text = textOf(`${procFolder}/sys/kernel/random/boot_id`);
  return text?.trim() ?? "unknown";
}
