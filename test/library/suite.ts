// The tests of the library that need a kernel with ip_vs, in one process: `npm test -- library`.
import "./examples.lab.js";
import "./open.lab.js";
