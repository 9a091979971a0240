import type { Sums, TableModel } from "./table-model.js";

/** The ids whose figures belong to a row: of a service, of a server, or of all servers of a machine. */
export class RowIds {
  readonly #model: TableModel;
  readonly #ids = new Map<string, readonly number[]>();
  readonly #machines = new Map<string, number[]>();
  #version = -1;

  constructor(model: TableModel) {
    this.#model = model;
  }

  /** The servers of each machine, by the keys of the machines. */
  get machines(): ReadonlyMap<string, readonly number[]> {
    if (this.#version !== this.#model.version) this.#collect();
    return this.#machines;
  }

  /** The figures that continue the history of a row. */
  sumsOf(key: string): Sums | undefined {
    const found = this.machines.get(key) ?? this.#ids.get(key);
    return found && this.#model.sums(found);
  }

  #collect(): void {
    this.#version = this.#model.version;
    this.#ids.clear();
    this.#machines.clear();
    for (const service of this.#model.services) {
      this.#ids.set(service.key, [service.row.id]);
      for (const { key, row } of service.servers) {
        this.#ids.set(key, [row.id]);
        const machine = `machine ${row.address}`;
        const known = this.#machines.get(machine);
        if (known) known.push(row.id);
        else this.#machines.set(machine, [row.id]);
      }
    }
  }
}
