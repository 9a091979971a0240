// The tests of the documents that need a kernel with ip_vs, in one process.
import "./pages.lab.js";
