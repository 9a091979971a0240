// What starting a runtime costs: a program that does nothing.
export {};
