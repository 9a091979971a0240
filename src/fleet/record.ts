import { StoreRecordFault } from "./fleet-error.js";

/** A record of the store: an object of JSON. It comes from the network, so every field is checked. */
export class RecordReader {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #key: string;

  private constructor(fields: Readonly<Record<string, unknown>>, key: string) {
    this.#fields = fields;
    this.#key = key;
  }

  /** @throws {StoreRecordFault} the value is not an object of JSON */
  static parse(key: string, value: Uint8Array): RecordReader {
    let parsed: unknown;
    try {
      parsed = JSON.parse(new TextDecoder().decode(value));
    } catch (error) {
      throw new StoreRecordFault(key, "not JSON", { cause: error });
    }
    return RecordReader.of(key, parsed);
  }

  static of(key: string, value: unknown): RecordReader {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new StoreRecordFault(key, "not an object");
    return new RecordReader(value as Record<string, unknown>, key);
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  /** @throws {StoreRecordFault} also all methods below, if the field has another type */
  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== "string") throw this.#fault(name, "a text");
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  /** A whole number of at least 0. */
  count(name: string): number {
    const value = this.#fields[name];
    if (!Number.isSafeInteger(value) || Number(value) < 0)
      throw this.#fault(name, "a number");
    return Number(value);
  }

  optionalCount(name: string): number | undefined {
    return this.has(name) ? this.count(name) : undefined;
  }

  /** False if it is missing. */
  flag(name: string): boolean {
    const value = this.#fields[name] ?? false;
    if (typeof value !== "boolean") throw this.#fault(name, "true or false");
    return value;
  }

  record(name: string): RecordReader {
    return RecordReader.of(`${this.#key}, ${name}`, this.#fields[name]);
  }

  /** The records of a list; none if it is missing. */
  records(name: string): RecordReader[] {
    return this.#list(name).map((one) =>
      RecordReader.of(`${this.#key}, ${name}`, one),
    );
  }

  texts(name: string): string[] {
    return this.#list(name).map((one) => {
      if (typeof one !== "string") throw this.#fault(name, "a list of texts");
      return one;
    });
  }

  /** The texts of an object, such as labels; none if it is missing. */
  labels(name: string): Record<string, string> {
    if (!this.has(name)) return {};
    const { record } = { record: this.record(name) };
    return Object.fromEntries(
      Object.keys(record.#fields).map((key) => [key, record.text(key)]),
    );
  }

  #list(name: string): readonly unknown[] {
    const value = this.#fields[name] ?? [];
    if (!Array.isArray(value)) throw this.#fault(name, "a list");
    return value as readonly unknown[];
  }

  #fault(name: string, expected: string): StoreRecordFault {
    return new StoreRecordFault(this.#key, `"${name}" is not ${expected}`);
  }
}

/** Writes a record. */
export function recordBytes(record: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(record));
}
