# What zsh itself offers: zsh -f complete.zsh FOLDER WORD... ; the last WORD is the one to be completed. One offer a line.
# Somebody's interactive shell on a pseudo-terminal, with the functions of FOLDER, and a Tab; it ends after that.
zmodload zsh/zpty
offers=$(mktemp) setup=$(mktemp)
cat >$setup <<SETUP
PROMPT=
fpath=(${(q)1} \$fpath)
autoload -Uz compinit
compinit -D -u
bindkey '^I' complete-word
# Everything that is offered goes through compadd; those that only sort words (-O, -A, -D) offer nothing.
compadd() {
  if [[ "\${@[1,(i)(-|--)]}" == *-(O|A|D)\ * ]]; then builtin compadd "\$@"; return; fi
  local -a hits
  builtin compadd -O hits "\$@"
  (( \$#hits )) && print -rl -- \$hits >>${(q)offers}
  builtin compadd "\$@"
}
comppostfuncs=(exit)
print ready
SETUP
shift
zpty shell zsh -f -i
zpty -w shell "source ${(q)setup}"
zpty -r shell answer $'*ready\r\n*' || { print -u2 "zsh did not start: $answer"; exit 1 }
zpty -n -w shell "$*"$'\t'
while zpty -r shell answer; do :; done 2>/dev/null
sort -u $offers
rm -f $offers $setup  # not in a trap: the shell on the terminal is a fork of this one, and would run it
