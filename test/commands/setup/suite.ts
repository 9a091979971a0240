// What setup prints, run on bare machines: in a guest of its own, because doctor would find what other tests leave behind.
import "./methods.lab.js";
import "./two-directors.lab.js";
