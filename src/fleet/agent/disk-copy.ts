import { sha256 } from "../../system/compress.js";
import { parseDrain, type Drain } from "../drain.js";
import { StoreRecordFault } from "../fleet-error.js";
import { RecordReader } from "../record.js";
import type { AgentEnvironment } from "./agent-environment.js";

/** A revision as it is kept on disk. */
export interface KeptRevision {
  readonly table: string;
  readonly revision: number;
  readonly sha256: string;
  readonly force: boolean;
  readonly allowEmpty: boolean;
  /** The text of the table */
  readonly text: string;
}

/** What an agent keeps on disk, so that it can work while the store cannot be reached. */
export interface DiskCopy {
  /** Identifies the boot in which it was written. The kernel's table is empty after another one */
  readonly bootId: string;
  /** The revision that the kernel has */
  readonly current?: KeptRevision | undefined;
  /** A revision that is being applied. If it is there at the start, the agent ended in the middle */
  readonly candidate?: KeptRevision | undefined;
  readonly drains: readonly Drain[];
  readonly paused: boolean;
}

const SCHEMA = "ipvsadm/fleet-copy/1";

/** The text of the file, one character per byte. */
export function textOfCopy({
  bootId,
  current,
  candidate,
  drains,
  paused,
}: DiskCopy): string {
  return `${JSON.stringify({
    schema: SCHEMA,
    bootId,
    current: current && withBase64(current),
    candidate: candidate && withBase64(candidate),
    drains: drains.map(({ id, author, at }) => ({ id, author, at })),
    paused,
  }).replace(/[\u007f-\uffff]/g, escaped)}\n`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function withBase64({ text, ...rest }: KeptRevision) {
  return { ...rest, content: Buffer.from(text, "latin1").toString("base64") };
}

/** Reads the text of the file, and checks the hashes. @throws {StoreRecordFault} it is damaged */
export function readCopy(path: string, text: string): DiskCopy {
  const record = RecordReader.parse(path, Buffer.from(text, "latin1"));
  record.text("schema");
  const kept = (name: string): KeptRevision | undefined => {
    if (!record.has(name)) return undefined;
    const one = record.record(name);
    const content = Buffer.from(one.text("content"), "base64");
    if (sha256(content) !== one.text("sha256"))
      throw new StoreRecordFault(path, `"${name}" does not match its hash`);
    return {
      table: one.text("table"),
      revision: one.count("revision"),
      sha256: one.text("sha256"),
      force: one.flag("force"),
      allowEmpty: one.flag("allowEmpty"),
      text: content.toString("latin1"),
    };
  };
  return {
    bootId: record.text("bootId"),
    current: kept("current"),
    candidate: kept("candidate"),
    drains: record.records("drains").map((one) =>
      parseDrain(path, one.text("id"), {
        author: one.text("author"),
        at: one.text("at"),
      }),
    ),
    paused: record.flag("paused"),
  };
}

/** The file of the disk copy, and what it contains. */
export class CopyKeeper {
  readonly #disk: AgentEnvironment["disk"];
  #copy: DiskCopy;

  /** Reads the file. A damaged one is logged and ignored: the store has all that it contained. */
  constructor(
    { disk, bootId }: Pick<AgentEnvironment, "disk" | "bootId">,
    logFault: (error: unknown) => void,
  ) {
    this.#disk = disk;
    this.#copy = { bootId, drains: [], paused: false };
    try {
      const text = disk.read();
      if (text !== undefined) this.#copy = readCopy("the disk copy", text);
    } catch (error) {
      logFault(error);
    }
  }

  get copy(): DiskCopy {
    return this.#copy;
  }

  /** Writes the file. @throws as the disk does; then the copy is as before */
  save(copy: DiskCopy): void {
    this.#disk.write(textOfCopy(copy));
    this.#copy = copy;
  }

  /** For a dry run, which writes no file. */
  remember(copy: DiskCopy): void {
    this.#copy = copy;
  }
}
