/** The part of Bun's API that the full executable uses. @see https://bun.sh/docs/api/ffi */
declare module "bun:ffi" {
  type Kind = "i32" | "u32" | "i64_fast" | "u64" | "ptr";

  /** A memory address. */
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

  /** The memory address of a view. Valid as long as the view exists. */
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
     * Delays the compilation of functions that run often: 1 is the default, 1000 a thousand times
     * later. Affects functions that have not run yet.
     */
    setJITPolicy(scale: number): void;
  };

  /** Runs a program and waits for its end. @throws if the program does not exist */
  function spawnSync(
    command: readonly string[],
    options: { stdio: readonly ["ignore", "inherit", "inherit"] },
  ): unknown;
}
