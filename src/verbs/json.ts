// JSON is written where the documents are; the verbs find it here.
export { jsonText, type Json } from "../document/json-text.js";
