// What setup prints, run on bare machines: in a guest of its own, because doctor would find what other tests leave behind.
import "./files.lab.js";
import "./methods.lab.js";
import "./two-directors.lab.js";
