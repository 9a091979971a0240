// The cost of starting a runtime: a program that does nothing.
export {};
