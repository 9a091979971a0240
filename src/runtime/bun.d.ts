/** What we use of Bun, on which the full executable runs. @see https://bun.sh/docs/api/ffi */
declare module "bun:ffi" {
  type Kind = "i32" | "u32" | "i64_fast" | "u64" | "ptr";

  /** An address in the process's memory. */
  type Pointer = number & { readonly pointer: unique symbol };

  interface Signature {
    readonly args: readonly Kind[];
    readonly returns: Kind;
  }

  type Argument<K extends Kind> = K extends "ptr"
    ? Pointer | ArrayBufferView | null
    : number;
  type Arguments<A extends readonly Kind[]> = {
    -readonly [I in keyof A]: Argument<A[I]>;
  };
  type Result<K extends Kind> = K extends "ptr" ? Pointer : number;

  export function dlopen<const S extends Readonly<Record<string, Signature>>>(
    library: string,
    signatures: S,
  ): {
    readonly symbols: {
      readonly [Name in keyof S]: (
        ...args: Arguments<S[Name]["args"]>
      ) => Result<S[Name]["returns"]>;
    };
  };

  /** Where the bytes of a view lie; they stay there as long as the view is kept. */
  export function ptr(view: ArrayBufferView): Pointer;

  export const read: {
    i32(at: Pointer, offset: number): number;
    u8(at: Pointer, offset: number): number;
    ptr(at: Pointer, offset: number): Pointer;
  };
}

declare namespace Bun {
  const unsafe: {
    /**
     * How soon code is compiled that runs often: 1 is the usual, 1,000 is a thousand times as late. It counts for
     * functions that have not run yet.
     */
    setJITPolicy(scale: number): void;
  };

  /** Runs a program to its end. @throws if there is none */
  function spawnSync(
    command: readonly string[],
    options: { stdio: readonly ["ignore", "inherit", "inherit"] },
  ): unknown;
}
