/**
 * The system calls of the light program, which runs on QuickJS: bin/light has them in C. They decide nothing. Each checks
 * its arguments, and throws a TypeError or RangeError for what it cannot take. A call that fails returns minus the errno.
 *
 * Strings have one character a byte.
 */
declare const host: {
  /** The text of some bytes. */
  latin1(bytes: Uint8Array, start: number, end: number): string;
  /** Writes a text, for which there must be room. @returns how many bytes it has */
  putLatin1(bytes: Uint8Array, at: number, text: string): number;
  /** Zeros, which take memory only where they are used. */
  room(bytes: number): ArrayBuffer;

  /** Opens a file for reading. */
  open(path: string): number;
  close(descriptor: number): number;
  read(descriptor: number, bytes: Uint8Array): number;
  write(descriptor: number, bytes: Uint8Array): number;
  /** The length of a regular file; -ESPIPE for others. */
  fileSize(descriptor: number): number;
  isTerminal(descriptor: number): boolean;
  /** Where a symbolic link leads. */
  readLink(path: string): string | number;
  /** Milliseconds since some moment; never goes back. */
  now(): number;

  socket(family: number, type: number, protocol: number): number;
  /** @param address a struct sockaddr */
  connect(socket: number, address: Uint8Array): number;
  setOption(socket: number, level: number, name: number, value: number): number;
  option(socket: number, level: number, name: number): number;
  send(socket: number, datagram: Uint8Array): number;
  /**
   * Takes datagrams, as many as are there and have room.
   *
   * @param bytes cut into equal parts, one for each datagram
   * @param lengths become the lengths of the datagrams, -1 for one that was cut short
   * @returns how many there are
   */
  receive(
    socket: number,
    bytes: Uint8Array,
    lengths: Int32Array,
    flags: number,
  ): number;

  /** The command line, with the program's name. */
  words(): string[];
  environment(name: string): string | undefined;
  isRoot(): boolean;
  /** Whether the program's file gave the process rights, by setuid, setgid or capabilities. */
  hasMoreRightsThanCaller(): boolean;
  exit(status: number): never;
  /** Becomes another program. @returns only if that fails */
  exec(path: string, words: readonly string[]): number;
  /** Runs a program to its end. @returns its status */
  run(words: readonly string[]): number;
  /** Starts a program. @returns its number, and the end of a pipe with what it prints */
  start(words: readonly string[]): [process: number, output: number] | number;
  /** Waits for the end of a program. @returns its status */
  wait(process: number): number;
  /**
   * Waits until one of some open files can be read, or a time is over.
   *
   * @param milliseconds negative for a wait without an end
   * @returns the place of the first that can be read, -1 if there is none
   */
  poll(descriptors: readonly number[], milliseconds: number): number;
};
