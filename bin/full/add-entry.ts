/*
 * add-entry.ts IN OUT: copies an executable that Bun made, and makes it start with the code of entry.c.
 * The file gets one more segment at its end. The program header of the notes (PT_NOTE) is replaced with that of the new
 * segment, because nothing reads the notes at run time. Bun runs this script.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Constants of elf.h. */
const [PT_LOAD, PT_NOTE] = [1, 4];
const READ_AND_EXECUTE = 5;
const AT = { machine: 18, entry: 24, headers: 32, headerBytes: 54, count: 56 };
const HEADER = {
  type: 0,
  flags: 4,
  offset: 8,
  address: 16,
  physical: 24,
  fileBytes: 32,
  memoryBytes: 40,
  alignment: 48,
};

/** The largest size of a page on both processors. */
const PAGE_BYTES = 0x10000n;

interface Processor {
  /** The name in Node.js. */
  readonly name: string;
  /** The cross-compiler for it, and the Debian package that contains it. */
  readonly compiler: string;
  readonly package: string;
  readonly options: readonly string[];
}

/** The key is the number of the processor in elf.h. */
const PROCESSORS: Readonly<Record<number, Processor>> = {
  62: {
    name: "x64",
    compiler: "x86_64-linux-gnu-gcc",
    package: "gcc-x86-64-linux-gnu",
    options: ["-fcf-protection=none"],
  },
  183: {
    name: "arm64",
    compiler: "aarch64-linux-gnu-gcc",
    package: "gcc-aarch64-linux-gnu",
    options: [],
  },
};

const OPTIONS = [
  ..."-std=gnu11 -Os -Wall -Wextra -Werror -ffreestanding".split(" "),
  ..."-fno-stack-protector -fno-asynchronous-unwind-tables".split(" "),
  ..."-fno-pic -nostdlib -static -Wl,--build-id=none".split(" "),
  `-Wl,-T,${join(import.meta.dirname, "entry.ld")}`,
];

function roundUp(bytes: bigint): bigint {
  return ((bytes + PAGE_BYTES - 1n) / PAGE_BYTES) * PAGE_BYTES;
}

/** Where the headers of the segments of a type are. */
function headersOf(program: Buffer, type: number): number[] {
  const start = Number(program.readBigUInt64LE(AT.headers));
  const bytes = program.readUInt16LE(AT.headerBytes);
  return Array.from(
    { length: program.readUInt16LE(AT.count) },
    (_, i) => start + i * bytes,
  ).filter((at) => program.readUInt32LE(at + HEADER.type) === type);
}

/** The machine code of entry.c for one address. */
function compile(
  processor: Processor,
  address: bigint,
  runtimeStart: bigint,
): Buffer {
  const [compiler, debianPackage] =
    processor.name === process.arch
      ? ["gcc", "gcc"]
      : [processor.compiler, processor.package];
  const folder = mkdtempSync(join(tmpdir(), "entry."));
  try {
    const out = join(folder, "entry");
    const { error, status } = spawnSync(
      compiler,
      [
        ...OPTIONS,
        ...processor.options,
        `-Wl,--defsym=ENTRY_ADDRESS=${String(address)}`,
        `-Wl,--defsym=runtime_start=${String(runtimeStart)}`,
        ...["-o", out, join(import.meta.dirname, "entry.c")],
      ],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    if (error)
      throw new Error(
        `${compiler} is missing: install Debian's package ${debianPackage}`,
      );
    if (status !== 0) throw new Error(`${compiler} cannot compile entry.c`);
    const program = readFileSync(out);
    const [segment, ...others] = headersOf(program, PT_LOAD);
    if (segment === undefined || others.length > 0)
      throw new Error("entry.c must be one segment");
    const start = Number(program.readBigUInt64LE(segment + HEADER.offset));
    const bytes = Number(program.readBigUInt64LE(segment + HEADER.fileBytes));
    return program.subarray(start, start + bytes);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function addEntry(program: Buffer): Buffer {
  const processor = PROCESSORS[program.readUInt16LE(AT.machine)];
  if (program.toString("latin1", 0, 6) !== "\x7fELF\x02\x01" || !processor)
    throw new Error("this is no executable for x86_64 or aarch64");
  const segments = headersOf(program, PT_LOAD);
  const [notes] = headersOf(program, PT_NOTE);
  const ends = segments.map(
    (at) =>
      program.readBigUInt64LE(at + HEADER.address) +
      program.readBigUInt64LE(at + HEADER.memoryBytes),
  );
  // Segments must be in the order of their addresses, and this one gets the highest address.
  if (notes === undefined || notes < Math.max(...segments))
    throw new Error("the executable has no notes behind its segments");

  const address = roundUp(ends.reduce((a, b) => (a > b ? a : b), 0n));
  const offset = roundUp(BigInt(program.length));
  const runtimeStart = program.readBigUInt64LE(AT.entry);
  const code = compile(processor, address, runtimeStart);
  if (code.readBigUInt64LE(0) !== runtimeStart)
    throw new Error("the code of entry.c does not begin as it should");

  const out = Buffer.concat([
    program,
    Buffer.alloc(Number(offset) - program.length),
    code,
  ]);
  out.writeUInt32LE(PT_LOAD, notes + HEADER.type);
  out.writeUInt32LE(READ_AND_EXECUTE, notes + HEADER.flags);
  out.writeBigUInt64LE(offset, notes + HEADER.offset);
  out.writeBigUInt64LE(address, notes + HEADER.address);
  out.writeBigUInt64LE(address, notes + HEADER.physical);
  out.writeBigUInt64LE(BigInt(code.length), notes + HEADER.fileBytes);
  out.writeBigUInt64LE(BigInt(code.length), notes + HEADER.memoryBytes);
  out.writeBigUInt64LE(PAGE_BYTES, notes + HEADER.alignment);
  out.writeBigUInt64LE(address + 8n, AT.entry);
  return out;
}

const [source = "", target = ""] = process.argv.slice(2);
try {
  writeFileSync(target, addEntry(readFileSync(source)));
  chmodSync(target, 0o755);
} catch (error) {
  console.error(`add-entry: ${(error as Error).message}`);
  process.exit(1);
}
