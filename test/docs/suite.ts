// The tests of the documents and of the examples that need a kernel with ip_vs, in one process.
import "./pages.lab.js";
import "../examples/tables.lab.js";
import "../examples/pipeline.lab.js";
import "../examples/slow-start.lab.js";
import "../examples/keep-table.lab.js";
