/** Something that jobs need before they start. It is provided once, one need after the other. */
export interface Need {
  readonly command: readonly string[];
  /** The command prints where it put it: jobs get that as the argument `{NAME}` */
  readonly printsPlace?: boolean;
  /** Jobs can do without it: their tests skip what needs it, and say so */
  readonly optional?: boolean;
  /** Each system of the lab has its own: the command gets LAB_SYSTEM */
  readonly perSystem?: boolean;
}

/** Systems other than this machine's that the lab boots: LAB_SYSTEM of test/lab/run. */
export const SYSTEMS = ["debian13"] as const;
export type System = (typeof SYSTEMS)[number];

const SYSTEM_NAMES: Readonly<Record<System, string>> = {
  debian13: "Debian 13",
};

/** A part of a stage, run as a process of its own. */
export interface Job {
  /** Of its stage, such as `compat` */
  readonly stage: string;
  /** What the job tests; unique in its stage. Empty if the stage is one job */
  readonly name: string;
  /** `{NAME}` stands for the place of a need */
  readonly command: readonly string[];
  /** Runs on a kernel with ip_vs */
  readonly lab?: boolean;
  /** The system that the lab boots. Absent: this machine's */
  readonly system?: System | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  readonly needs?: readonly NeedName[];
  /** Nothing else may run meanwhile: the job compares times */
  readonly alone?: boolean;
  /** The smallest run that contains the job */
  readonly size: Size;
  /** The largest such run: the job is a part of another one, which larger runs contain */
  readonly largest?: Size;
  /** About how long it takes on an idle machine. Long jobs start first. */
  readonly seconds: number;
}

/** A row of the table: a job on this machine's system, and perhaps the same on others. */
interface Row extends Job {
  /** The smallest run that contains the job on that system too */
  readonly on?: Readonly<Partial<Record<System, Size>>>;
}

/** On Debian 13 too, with `npm run test:all`. */
const ALSO_ON_DEBIAN_13 = { on: { debian13: "all" } } as const;

/** `quick` is for work in progress, `usual` is `npm test`, `all` takes everything. */
export const SIZES = ["quick", "usual", "all"] as const;
export type Size = (typeof SIZES)[number];

export type NeedName =
  | "lab"
  | "mandoc"
  | "shells"
  | "prometheus"
  | "chromium"
  | "etcd"
  | "original"
  | "clients"
  | "full"
  | "light"
  | "packages"
  | "bookworm"
  | "trixie";

export const NEEDS: Readonly<Record<NeedName, Need>> = {
  lab: { command: ["bash", "test/lab/run", "true"], perSystem: true },
  mandoc: { command: ["bash", "test/provide-mandoc"], optional: true },
  shells: { command: ["bash", "test/provide-shells"], optional: true },
  prometheus: { command: ["bash", "test/provide-prometheus"], optional: true },
  chromium: {
    command: ["bash", "test/page/provide-chromium"],
    optional: true,
  },
  etcd: { command: ["bash", "test/provide-etcd"], printsPlace: true },
  original: {
    command: ["bash", "test/compat/fetch-original"],
    printsPlace: true,
    perSystem: true,
  },
  clients: {
    command: ["bash", "test/clients/fetch-clients"],
    printsPlace: true,
    perSystem: true,
  },
  full: { command: ["npm", "run", "--silent", "build:full"] },
  light: { command: ["bash", "test/light/provide"] },
  packages: { command: ["bash", "test/packaging/provide-packages"] },
  bookworm: {
    command: ["bash", "test/lab/fetch-debian", "bookworm"],
    printsPlace: true,
  },
  trixie: {
    command: ["bash", "test/lab/fetch-debian", "trixie"],
    printsPlace: true,
  },
};

const SUITE = ["node", "--test-reporter=spec"];
/** Suites in one guest at the same time. */
const SIDE_BY_SIDE = ["bash", "test/lab/side-by-side"];
const FULL = "dist/full/ipvsadm-full";
const LIGHT = "dist/light/ipvsadm";

/** A job that runs only one test of a job, by its name. undefined if Node.js's test runner does not run the tests of the job. */
export function oneTestOf(job: Job, name: string): Job | undefined {
  const start = [SUITE, SIDE_BY_SIDE].find((words) =>
    words.every((word, index) => job.command[index] === word),
  );
  if (start === undefined) return undefined;
  const pattern = name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  const files = job.command.slice(start.length);
  return {
    ...job,
    command: [...start, `--test-name-pattern=${pattern}`, ...files],
  };
}

/** The comparison with the original, of the program on Node.js or of a file. */
function compat(
  label: string,
  size: Size,
  program: { needs: NeedName[]; file: string } | undefined,
  options: {
    readonly seconds: number;
    readonly random: readonly string[];
    /** The smallest run with the written cases and the random commands on Debian 13 */
    readonly debian13?: Size;
  },
): Row[] {
  const job = {
    stage: "compat",
    lab: true,
    size,
    ...ALSO_ON_DEBIAN_13,
    needs: ["original" as const, ...(program?.needs ?? [])],
    ...(program !== undefined && { environment: { IPVSADM: program.file } }),
  };
  const sample = { ...job, on: { debian13: options.debian13 ?? "all" } };
  return [
    {
      ...sample,
      name: `${label}: written cases`,
      command: [
        ...SUITE,
        "dist/test/compat/suite.js",
        "test/compat/cases",
        "{original}",
      ],
      seconds: options.seconds,
    },
    {
      ...job,
      name: `${label}: names and traffic`,
      command: [...SUITE, "dist/test/compat/live.js", "{original}"],
      seconds: 60,
    },
    {
      ...job,
      name: `${label}: dead name server`,
      command: [...SUITE, "dist/test/compat/resolver.js", "{original}"],
      seconds: 120,
    },
    {
      ...sample,
      name: `${label}: random commands`,
      command: [
        "node",
        "dist/test/compat/fuzz.js",
        "{original}",
        ...options.random,
      ],
      seconds: options.seconds,
    },
  ];
}

/**
 * A part of doctor's tests, on Node.js and on the full executable.
 *
 * @param suites one, or those that run side by side
 */
function doctor(
  what: string,
  suites: readonly string[],
  seconds: number,
): Row[] {
  const files = suites.map(
    (suite) => `dist/test/commands/doctor/${suite}-suite.js`,
  );
  const job = {
    stage: "subcommands",
    command: [...(suites.length === 1 ? SUITE : SIDE_BY_SIDE), ...files],
    lab: true,
    ...ALSO_ON_DEBIAN_13,
  };
  return [
    { ...job, name: `doctor: ${what}`, size: "usual", seconds },
    {
      ...job,
      name: `doctor on the full executable: ${what}`,
      environment: { IPVSADM: FULL },
      needs: ["full"],
      size: "all",
      // Each run of doctor is a process of its own.
      seconds: 2 * seconds,
    },
  ];
}

/** The table of jobs, by stages in the order of `npm test`. */
function rowsFor(seed: number): readonly Row[] {
  const seeds = ["--seed", "1", "--seed", String(seed)];
  const random = [...seeds, "--cases", "12"];
  const faults = ["node", "dist/test/faults/main.js", ...seeds];
  return [
    {
      stage: "lint",
      name: "eslint",
      command: ["npx", "--no-install", "eslint", "."],
      size: "quick",
      seconds: 35,
    },
    {
      stage: "lint",
      name: "layers, format and spelling",
      command: ["npm", "run", "--silent", "lint:text"],
      size: "quick",
      seconds: 25,
    },
    {
      stage: "lint",
      name: "library reference",
      command: ["npm", "run", "--silent", "docs"],
      size: "usual",
      seconds: 10,
    },
    {
      stage: "unit",
      name: "",
      command: [...SUITE, "dist/test/unit.js"],
      needs: ["mandoc", "shells", "prometheus"],
      size: "quick",
      seconds: 30,
    },
    {
      stage: "unit",
      name: "at scale",
      command: ["bash", "test/scale"],
      alone: true,
      size: "usual",
      seconds: 40,
    },
    {
      stage: "lab",
      name: "",
      command: [...SUITE, "dist/test/lab/suite.js"],
      lab: true,
      ...ALSO_ON_DEBIAN_13,
      needs: ["shells"],
      size: "usual",
      seconds: 120,
    },
    {
      stage: "lab",
      name: "a small part",
      command: [...SUITE, "dist/test/lab/client.lab.js"],
      lab: true,
      size: "quick",
      largest: "quick",
      seconds: 30,
    },
    {
      stage: "faults",
      name: "with a model of the kernel",
      command: [...faults, "--cases", "500"],
      size: "usual",
      seconds: 25,
    },
    {
      stage: "faults",
      name: "with a model of the kernel, more",
      command: [...faults, "--cases", "8000", "--seconds", "600"],
      size: "all",
      seconds: 300,
    },
    {
      stage: "faults",
      name: "real processes and file systems",
      command: [
        "node",
        "dist/test/faults/lab-main.js",
        ...seeds,
        "--cases",
        "10",
      ],
      lab: true,
      needs: ["light"],
      size: "usual",
      seconds: 40,
    },
    {
      stage: "faults",
      name: "real processes and file systems, more",
      command: [
        "node",
        "dist/test/faults/lab-main.js",
        ...seeds,
        "--cases",
        "150",
      ],
      lab: true,
      needs: ["light"],
      size: "all",
      seconds: 400,
    },
    ...compat("Node.js", "usual", undefined, {
      seconds: 90,
      random,
      debian13: "usual",
    }),
    ...compat(
      "light program",
      "usual",
      // It hands words that are no options over to the full executable.
      { needs: ["full", "light"], file: LIGHT },
      { seconds: 90, random },
    ),
    {
      stage: "compat",
      name: "light program: system calls, encoding and subcommands",
      command: ["bash", "test/light/run"],
      size: "usual",
      seconds: 30,
    },
    {
      stage: "compat",
      name: "light program for arm64",
      command: ["bash", "test/light/arm64"],
      needs: ["light"],
      size: "all",
      seconds: 30,
    },
    ...compat(
      "full executable",
      "all",
      { needs: ["full"], file: FULL },
      { seconds: 300, random },
    ),
    {
      stage: "subcommands",
      name: "that read",
      command: [...SUITE, "dist/test/commands/showing-suite.js"],
      lab: true,
      ...ALSO_ON_DEBIAN_13,
      needs: ["shells", "prometheus"],
      size: "usual",
      seconds: 200,
    },
    {
      stage: "subcommands",
      name: "that change",
      command: [...SUITE, "dist/test/commands/changing-suite.js"],
      lab: true,
      ...ALSO_ON_DEBIAN_13,
      size: "usual",
      seconds: 200,
    },
    {
      stage: "subcommands",
      name: "setup",
      command: [...SUITE, "dist/test/commands/setup/suite.js"],
      lab: true,
      ...ALSO_ON_DEBIAN_13,
      size: "usual",
      seconds: 330,
    },
    ...doctor("masquerading and tunneling", ["nat", "tunnel"], 330),
    ...doctor("traffic and direct routing", ["traffic", "direct"], 410),
    ...doctor("firewalls and sync daemons", ["firewall", "sync"], 300),
    ...doctor("alone on a kernel", ["kernel"], 170),
    ...doctor("packets and their sizes", ["packet", "size"], 150),
    {
      stage: "page",
      name: "",
      command: [...SUITE, "dist/test/page/page.browser.js"],
      needs: ["chromium"],
      alone: true,
      size: "usual",
      seconds: 90,
    },
    {
      stage: "fleet",
      name: "with etcd",
      command: [...SUITE, "dist/test/fleet/suite.js", "{etcd}"],
      needs: ["etcd"],
      size: "usual",
      seconds: 240,
    },
    {
      stage: "fleet",
      name: "while the clock jumps",
      // The clock of the process is another one, so nothing else may run in it.
      command: [...SUITE, "dist/test/fleet/clock.etcd.js", "{etcd}"],
      needs: ["etcd"],
      size: "usual",
      seconds: 20,
    },
    {
      stage: "fleet",
      name: "agent on a machine with faults",
      command: [...SUITE, "dist/test/fleet/faults.lab.js", "{etcd}"],
      lab: true,
      needs: ["etcd"],
      size: "usual",
      seconds: 150,
    },
    {
      stage: "fleet",
      name: "agent",
      command: [...SUITE, "dist/test/fleet/agent.lab.js", "{etcd}"],
      lab: true,
      ...ALSO_ON_DEBIAN_13,
      needs: ["etcd"],
      size: "usual",
      seconds: 60,
    },
    {
      stage: "fleet",
      name: "gates",
      command: [...SUITE, "dist/test/fleet/gate.lab.js", "{etcd}"],
      lab: true,
      needs: ["etcd"],
      size: "usual",
      seconds: 120,
    },
    {
      stage: "fleet",
      name: "demo",
      command: ["node", "dist/test/fleet/demo/demo.js", "{etcd}"],
      lab: true,
      needs: ["etcd"],
      size: "all",
      seconds: 150,
    },
    {
      stage: "library",
      name: "examples",
      command: ["bash", "test/library/run"],
      needs: ["lab"],
      size: "usual",
      seconds: 40,
    },
    {
      stage: "docs",
      name: "pages and examples",
      command: [...SUITE, "dist/test/docs/suite.js"],
      lab: true,
      ...ALSO_ON_DEBIAN_13,
      size: "usual",
      seconds: 80,
    },
    {
      stage: "docs",
      name: "guides",
      command: [...SUITE, "dist/test/docs/guides.lab.js", "{etcd}"],
      lab: true,
      needs: ["etcd"],
      ...ALSO_ON_DEBIAN_13,
      size: "usual",
      seconds: 230,
    },
    {
      stage: "traffic",
      name: "",
      command: [...SUITE, "dist/test/traffic/suite.js"],
      lab: true,
      ...ALSO_ON_DEBIAN_13,
      size: "usual",
      seconds: 180,
    },
    {
      stage: "clients",
      name: "",
      command: [
        ...SUITE,
        "dist/test/clients/suite.js",
        "{original}",
        "{clients}",
      ],
      lab: true,
      ...ALSO_ON_DEBIAN_13,
      needs: ["original", "clients"],
      size: "usual",
      seconds: 180,
    },
    {
      stage: "clients",
      name: "keepalived",
      command: [
        ...SUITE,
        "dist/test/clients/keepalived.lab.js",
        "{original}",
        "{clients}",
      ],
      lab: true,
      system: "debian13",
      needs: ["original", "clients"],
      size: "usual",
      largest: "usual",
      seconds: 60,
    },
    {
      stage: "install",
      name: "on each Node.js",
      command: ["bash", "test/packaging/install"],
      size: "usual",
      seconds: 60,
    },
    {
      stage: "install",
      name: "with npm",
      command: [...SUITE, "dist/test/packaging/npm-install.js"],
      size: "usual",
      seconds: 60,
    },
    {
      stage: "install",
      name: "with npm, the light program",
      command: [...SUITE, "dist/test/packaging/npm-light.js"],
      size: "usual",
      seconds: 40,
    },
    {
      stage: "install",
      name: "full executable, environment",
      command: [...SUITE, "dist/test/packaging/full-environment.js"],
      needs: ["full"],
      size: "usual",
      seconds: 20,
    },
    {
      stage: "install",
      name: "full executable, memory",
      command: [...SUITE, "dist/test/packaging/full-memory.js"],
      needs: ["full"],
      size: "usual",
      seconds: 5,
    },
    {
      stage: "install",
      name: "full executable, capability",
      command: [...SUITE, "dist/test/packaging/full.lab.js"],
      lab: true,
      ...ALSO_ON_DEBIAN_13,
      environment: { IPVSADM: FULL },
      needs: ["full"],
      size: "usual",
      seconds: 15,
    },
    {
      stage: "install",
      name: "Debian packages, contents",
      command: [...SUITE, "dist/test/packaging/deb-build.js"],
      needs: ["packages"],
      size: "all",
      seconds: 150,
    },
    {
      stage: "install",
      name: "Debian packages on Debian 12",
      command: [...SUITE, "dist/test/packaging/debian.lab.js", "{bookworm}"],
      lab: true,
      needs: ["packages", "bookworm"],
      size: "all",
      seconds: 300,
    },
    {
      stage: "install",
      name: "Debian packages on Debian 13",
      command: [...SUITE, "dist/test/packaging/debian.lab.js", "{trixie}"],
      lab: true,
      needs: ["packages", "trixie"],
      size: "all",
      seconds: 300,
    },
    {
      stage: "install",
      name: "RPM packages",
      command: [...SUITE, "dist/test/packaging/rpm-build.js"],
      needs: ["packages"],
      size: "all",
      seconds: 150,
    },
    {
      stage: "install",
      name: "container images",
      command: [...SUITE, "dist/test/packaging/image.lab.js"],
      lab: true,
      needs: ["packages"],
      size: "all",
      seconds: 60,
    },
  ];
}

/**
 * All jobs, by stages in the order of `npm test`.
 *
 * @param seed for what is random, beside a fixed part
 * @param only a system: the jobs that run on it, in the sizes that they have on this machine's
 */
export function jobsFor(seed: number, only?: System): readonly Job[] {
  return rowsFor(seed).flatMap(({ on = {}, ...job }) =>
    only === undefined
      ? [
          job,
          ...SYSTEMS.flatMap((system) => {
            const size = on[system];
            return size === undefined ? [] : [{ ...job, system, size }];
          }),
        ]
      : on[only] === undefined
        ? []
        : [{ ...job, system: only }],
  );
}

/** @throws {Error} if the value of LAB_SYSTEM is no system */
export function systemNamed(word: string | undefined): System | undefined {
  if (word === undefined || word === "") return undefined;
  const system = SYSTEMS.find((system) => system === word);
  if (system === undefined)
    throw new Error(`unknown LAB_SYSTEM ${word}: use ${SYSTEMS.join(", ")}`);
  return system;
}

/** `compat, Node.js: written cases, on Debian 13`: what people see of a job. */
export function titleOf({ stage, name, system }: Job): string {
  return [
    stage,
    ...(name === "" ? [] : [name]),
    ...(system === undefined ? [] : [`on ${SYSTEM_NAMES[system]}`]),
  ].join(", ");
}

/** @throws {Error} for a word that is no stage and no size */
export function selectJobs(
  jobs: readonly Job[],
  words: readonly string[],
): readonly Job[] {
  const sizes: readonly string[] = SIZES;
  const stages = new Set(jobs.map(({ stage }) => stage));
  for (const word of words)
    if (!sizes.includes(word) && !stages.has(word))
      throw new Error(
        `no stage ${word}: choose ${[...stages].join(", ")}, or quick, usual, all`,
      );
  const wanted = words.filter((word) => stages.has(word));
  const size = SIZES.findLast((size) => words.includes(size)) ?? "usual";
  const selected = jobs.filter(
    (job) =>
      SIZES.indexOf(job.size) <= SIZES.indexOf(size) &&
      (wanted.length === 0 || wanted.includes(job.stage)) &&
      SIZES.indexOf(job.largest ?? "all") >= SIZES.indexOf(size),
  );
  if (selected.length === 0)
    throw new Error(`no job of ${wanted.join(", ")} is in the size ${size}`);
  return selected;
}
