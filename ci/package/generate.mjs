// Man pages and shell completion, from what the programs say of themselves: node generate.mjs BIN_DIR OUT_DIR VERSION PROGRAM...
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [bin, out, version, ...programs] = process.argv.slice(2);
const installed = (program) => "roomcheck-" + program.replaceAll("_", "-");
// In examples and usage lines people are to read the names that are installed.
const renamed = (line) => line.replace(/(^Usage: |^\s+|\| )(reference_server|loadgen|conformance|report|layerctl)(?= |$)/, (_, before, program) => before + installed(program));

// {description, options: [{names, value, text, group}], subcommands: [{name, text}], lines} of one --help.
const read = (program, words = []) => {
  const lines = execFileSync(join(bin, program), [...words, "--help"], { encoding: "utf8" }).trimEnd().split("\n");
  const options = [], subcommands = [], rest = [];
  let group = "", usage = "", last = null, inCommands = false;
  for (const line of lines) {
    const option = /^ {2}(-[^ ]+)(.*)$/.exec(line), command = /^ {2}([a-z][a-z-]*) {2,}(.*)$/.exec(line), more = /^ {20,}(\S.*)$/.exec(line);
    if (line.startsWith("Usage: ")) usage = renamed(line).slice(7);
    else if (option) {
      // "-o,--output FILE=report.html (Env:ROOMCHECK_OUTPUT) text": the text may stand on the next line.
      const [, names, tail] = option, env = / ?\(Env:([A-Z_]+)\)/.exec(tail);
      const before = env ? tail.slice(0, env.index) : tail, after = env ? tail.slice(env.index + env[0].length) : "";
      const [value, text] = env ? [before.trim(), after.trim()] : /^(.*?)(?: {2,}(.*))?$/.exec(tail).slice(1).map((s) => (s || "").trim());
      last = { names: names.split(","), value, text, env: env ? env[1] : "", group };
      options.push(last);
    } else if (more && last) last.text = (last.text + " " + more[1]).trim();
    else if (/^[A-Z][A-Za-z ]*:$/.test(line)) { group = line.slice(0, -1); inCommands = group === "Subcommands"; last = null; if (group === "Examples") rest.push(line); }
    else if (inCommands && command) { last = { text: command[2] }; subcommands.push({ name: command[1], about: last }); }
    else { if (line.trim() === "") last = null; rest.push(line); }
  }
  return { description: rest[0], usage, options, subcommands: subcommands.map(({ name, about }) => ({ name, text: about.text })), rest: rest.slice(1) };
};

const roff = (text) => renamed(text).replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/, "\\&$&");

const optionsOf = (help) => {
  let page = "", group = null;
  for (const option of help.options) {
    if (option.group !== group) { group = option.group; if (group && group !== "Options") page += `.SS ${roff(group)}\n`; }
    page += `.TP\n\\fB${option.names.map(roff).join("\\fR, \\fB")}\\fR${option.value ? " \\fI" + roff(option.value) + "\\fR" : ""}\n`;
    page += roff((option.text || "") + (option.env ? ` (environment: ${option.env})` : "")) + "\n";
  }
  return page;
};
const verbatim = (lines) => {
  const text = lines.join("\n").trim();
  return text ? `.nf\n${text.split("\n").map(roff).join("\n")}\n.fi\n` : "";
};
const parts = (rest) => {
  const at = rest.indexOf("Examples:");
  const positional = rest.slice(0, at < 0 ? rest.length : at), examples = at < 0 ? [] : rest.slice(at + 1);
  const end = examples.findIndex((line) => line.trim() === "");
  return { notes: [...positional, ...(end < 0 ? [] : examples.slice(end))], examples: end < 0 ? examples : examples.slice(0, end) };
};

const manPage = (program, help, commands) => {
  const name = installed(program);
  let page = `.TH ${name.toUpperCase()} 1 "" "roomcheck ${version}" "Roomcheck"\n.SH NAME\n${roff(name)} \\- ${roff(help.description.replace(/\.$/, ""))}\n`;
  page += `.SH SYNOPSIS\n.B ${roff(help.usage)}\n`;
  page += `.SH OPTIONS\n${optionsOf(help)}`;
  const { notes, examples } = parts(help.rest);
  if (commands.length) {
    page += ".SH COMMANDS\n";
    for (const { name: command, help: its } of commands) page += `.SS ${roff(command)}\n${roff(its.description)}\n.PP\n.B ${roff(its.usage)}\n${verbatim(parts(its.rest).notes)}${optionsOf({ options: its.options.map((o) => ({ ...o, group: "Options" })) })}`;
  }
  page += verbatim(notes);
  if (examples.length) page += `.SH EXAMPLES\n${verbatim(examples)}`;
  return page + ".SH EXIT STATUS\n0 good, 1 the verdict is bad, 2 usage or bad input, 3 the target or the harness failed, 4 the run is not to be believed.\n";
};

const choices = (option) => { const set = /\{([^}]+)\}/.exec(option.value); return set ? set[1].split(",") : null; };
const longNames = (help) => help.options.flatMap((o) => o.names.filter((n) => n.startsWith("--") || n === "-o"));

const bash = (program, help, commands) => {
  const name = installed(program), fn = "_" + name.replaceAll("-", "_");
  const all = [help, ...commands.map((c) => c.help)];
  const sets = new Map();
  for (const option of all.flatMap((h) => h.options)) if (choices(option)) for (const n of option.names) sets.set(n, choices(option));
  let text = `# bash completion for ${name}; made from its --help.\n${fn}() {\n  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} word words\n  case $prev in\n`;
  for (const [option, set] of sets) text += `    ${option}) mapfile -t COMPREPLY < <(compgen -W "${set.join(" ")}" -- "$cur"); return ;;\n`;
  text += `  esac\n  words="${[...longNames(help), ...commands.map((c) => c.name)].join(" ")}"\n  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do\n    case $word in\n`;
  for (const { name: command, help: its } of commands) text += `      ${command}) words="${longNames(its).join(" ")}" ;;\n`;
  text += `      *) ;;\n    esac\n  done\n  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")\n}\ncomplete -o default -F ${fn} ${name}\n`;
  return text;
};

const zshText = (text) => text.replace(/[\\'[\]:]/g, (c) => (c === "'" ? "'\\''" : "\\" + c));
const zshOptions = (help) => help.options.flatMap((o) => o.names.map((n) => {
  const what = choices(o) ? `:value:(${choices(o).join(" ")})` : o.value ? `:${zshText(o.value)}:_files` : "";
  return `'*${n}[${zshText(o.text)}]${what}'`;
})).join(" ");
const zsh = (program, help, commands) => {
  const name = installed(program);
  let text = `#compdef ${name}\n# zsh completion; made from its --help.\n`;
  if (!commands.length) return text + `_arguments ${zshOptions(help)} '*:file:_files'\n`;
  text += `if (( CURRENT == 2 )); then\n  local -a commands=(${commands.map((c) => `'${c.name}:${zshText(c.help.description)}'`).join(" ")})\n  _describe command commands\n  _arguments ${zshOptions(help)}\n  return\nfi\ncase $words[2] in\n`;
  for (const { name: command, help: its } of commands) text += `  ${command}) shift words; (( CURRENT-- )); _arguments ${zshOptions(its)} '*:file:_files' ;;\n`;
  return text + "esac\n";
};

for (const directory of ["man1", "bash", "zsh"]) mkdirSync(join(out, directory), { recursive: true });
for (const program of programs) {
  const help = read(program), commands = help.subcommands.map(({ name }) => ({ name, help: read(program, [name]) }));
  writeFileSync(join(out, "man1", installed(program) + ".1"), manPage(program, help, commands));
  writeFileSync(join(out, "bash", installed(program)), bash(program, help, commands));
  writeFileSync(join(out, "zsh", "_" + installed(program)), zsh(program, help, commands));
}
