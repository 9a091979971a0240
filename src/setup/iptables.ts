import {
  familyOf,
  formatAddress,
  INET,
  INET6,
  type Address,
} from "../ipvs/address.js";
import { TRANSPORTS } from "../ipvs/model.js";
import { hostPrefix } from "./host-prefix.js";
import { knownMacs, peersOf, type PeerMarks } from "./peer-marks.js";
import {
  fileOf,
  stepsOf,
  type FileFormat,
  type SetupFile,
} from "./setup-file.js";
import type { Machine, Step, VirtualEndpoint } from "./step.js";

/** A step that adds firewall rules. */
export type RuleStep = Extract<Step, { kind: "snat" | "mark" | "peer-marks" }>;

type Program = "iptables" | "ip6tables";
const PROGRAMS: readonly Program[] = ["iptables", "ip6tables"];

/** The chain that sets marks, except on packets of the other directors. */
const MARK_CHAIN = "ipvs-marks";

/** A rule of one program and table. The words are those after `-A` or `-D`. */
interface Rule {
  readonly program: Program;
  readonly table: "mangle" | "nat";
  readonly words: string;
}

/** Marks and SNAT for `iptables-restore --noflush`, or for /etc/iptables/rules.v4 of iptables-persistent. */
export const IPTABLES_FILES: FileFormat = {
  filesOf,
  undoLines: (machine) => {
    const lines = stepsOf(machine, "snat", "mark", "peer-marks")
      .toReversed()
      .flatMap(undoRuleLines);
    const programs = PROGRAMS.filter((program) =>
      lines.some((line) => line.startsWith(`${program} `)),
    );
    return [
      ...lines,
      // The file may contain other rules.
      ...programs.map(
        (program) => `# Delete these rules from ${pathOf(program)}, too.`,
      ),
    ];
  },
};

function pathOf(program: Program): string {
  return `/etc/iptables/rules.${program === "iptables" ? "v4" : "v6"}`;
}

/** The commands that add the rules of a step. */
export function ruleLines(step: RuleStep): string[] {
  if (step.kind !== "peer-marks") return [commandOf("-A", simpleRule(step))];
  return PROGRAMS.flatMap((program) => {
    const peers = peersOf(step, FAMILY_OF[program]).map((peer) => ({
      ...peer,
      variable: `mac${step.peers.indexOf(peer)}`,
    }));
    const macs = peers.map(({ mac, variable }) => mac ?? `"$${variable}"`);
    const rules = markRules(program, step, macs);
    if (rules.length === 0) return [];
    const unknown = peers.filter(({ mac }) => mac === undefined);
    return [
      ...unknown.flatMap(({ address, variable }) =>
        lookupLines(variable, address, step.device),
      ),
      `${program} -t mangle -N ${MARK_CHAIN}`,
      ...rules.map((rule) => commandOf("-A", rule)),
      onlyWithMacs(unknown, commandOf("-A", jumpRule(program, step))),
    ];
  });
}

const FAMILY_OF = { iptables: INET, ip6tables: INET6 } as const;

/** Asks the kernel for the MAC address of a neighbor, and waits for it for 10 seconds at most. */
function lookupLines(variable: string, address: Address, device: string) {
  const neighbor = `${formatAddress(address)} dev ${device}`;
  return [
    "for try in 1 2 3 4 5 6 7 8 9 10; do",
    `  ${variable}=$(ip neigh show ${neighbor} | sed -n 's/.*lladdr \\([0-9a-f:]*\\).*/\\1/p')`,
    `  [ -z "$${variable}" ] || break`,
    `  ip neigh replace ${neighbor} nud none use; sleep 1`,
    "done",
  ];
}

/** Without the MAC address of a peer, marks would make requests loop. */
function onlyWithMacs(
  unknown: readonly { address: Address; variable: string }[],
  command: string,
): string {
  if (unknown.length === 0) return command;
  const test = unknown.map(({ variable }) => `[ -n "$${variable}" ]`);
  const names = unknown.map(({ address }) => formatAddress(address));
  return `if ${test.join(" && ")}; then ${command}; else echo "no MAC address of ${names.join(", ")}: no packet is marked" >&2; fi`;
}

/** The commands that delete the rules of a step. */
export function undoRuleLines(step: RuleStep): string[] {
  if (step.kind !== "peer-marks") return [commandOf("-D", simpleRule(step))];
  return PROGRAMS.filter((program) => hasMarks(program, step)).flatMap(
    (program) => [
      commandOf("-D", jumpRule(program, step)),
      `${program} -t mangle -F ${MARK_CHAIN}`,
      `${program} -t mangle -X ${MARK_CHAIN}`,
    ],
  );
}

function filesOf(machine: Machine): SetupFile[] {
  const steps = stepsOf(machine, "snat", "mark", "peer-marks");
  return PROGRAMS.flatMap((program) => {
    const rules = steps
      .flatMap((step): Rule[] => {
        if (step.kind !== "peer-marks") return [simpleRule(step)];
        const own = markRules(
          program,
          step,
          hasMarks(program, step) ? knownMacs(step, FAMILY_OF[program]) : [],
        );
        return own.length === 0 ? [] : [...own, jumpRule(program, step)];
      })
      .filter((rule) => rule.program === program);
    const tables = (["mangle", "nat"] as const).flatMap((table) => {
      const own = rules.filter((rule) => rule.table === table);
      if (own.length === 0) return [];
      const chain = own.some(({ words }) => words.startsWith(MARK_CHAIN))
        ? [`:${MARK_CHAIN} - [0:0]`]
        : [];
      return [
        `*${table}`,
        ...chain,
        ...own.map(({ words }) => `-A ${words}`),
        "COMMIT",
      ];
    });
    return fileOf(pathOf(program), tables, [
      "If the file exists, add the rules to its tables: a second table of the same name would replace the first.",
      `To load only these rules: ${program}-restore --noflush`,
    ]);
  });
}

function simpleRule(step: Extract<Step, { kind: "snat" | "mark" }>): Rule {
  const program = programOf(step.service);
  return step.kind === "snat"
    ? {
        program,
        table: "nat",
        words: `POSTROUTING -m ipvs ${ipvsMatch(step.service)} -j SNAT --to-source ${formatAddress(step.source)}`,
      }
    : {
        program,
        table: "mangle",
        words: `PREROUTING ${markWords(step.service, step.mark)}`,
      };
}

function hasMarks(program: Program, { marks }: PeerMarks): boolean {
  return marks.some(({ service }) => programOf(service) === program);
}

/** The rules of the chain for one program; none if it has no mark. */
function markRules(
  program: Program,
  { marks }: PeerMarks,
  macs: readonly string[],
): Rule[] {
  const own = marks.filter(({ service }) => programOf(service) === program);
  if (own.length === 0) return [];
  const words = [
    ...macs.map((mac) => `-m mac --mac-source ${mac} -j RETURN`),
    ...own.map(({ service, mark }) => markWords(service, mark)),
  ];
  return words.map((text) => ({
    program,
    table: "mangle",
    words: `${MARK_CHAIN} ${text}`,
  }));
}

function jumpRule(program: Program, { device }: PeerMarks): Rule {
  return {
    program,
    table: "mangle",
    words: `PREROUTING -i ${device} -j ${MARK_CHAIN}`,
  };
}

/** @param what `-A` adds the rule, `-D` deletes it */
function commandOf(what: "-A" | "-D", { program, table, words }: Rule): string {
  return `${program} -t ${table} ${what} ${words}`;
}

function programOf({ address }: VirtualEndpoint): Program {
  return familyOf(address) === INET6 ? "ip6tables" : "iptables";
}

function markWords(service: VirtualEndpoint, mark: number): string {
  return `${packetMatch(service)} -j MARK --set-mark ${mark}`;
}

function ipvsMatch({ protocol, address, port }: VirtualEndpoint): string {
  const vport = port === 0 ? "" : ` --vport ${port}`;
  return `--vproto ${TRANSPORTS[protocol]} --vaddr ${hostPrefix(address)}${vport}`;
}

function packetMatch({ protocol, address, port }: VirtualEndpoint): string {
  const dport = port === 0 ? "" : ` --dport ${port}`;
  return `-d ${hostPrefix(address)} -p ${TRANSPORTS[protocol]}${dport}`;
}
