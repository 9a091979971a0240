import { CALL_BACK, type Shell } from "./shells.js";

/*
 * The scripts know nothing of options: they tell the program what stands on the line (answer.ts reads that), and show
 * what it answers. It is looked for on the search path alone, and where administrators have it: what lies in the
 * folder of whoever presses the key is not run. Nothing of the answer is evaluated.
 */

const ELSEWHERE = "/usr/local/sbin:/usr/sbin:/sbin";

const BASH = `# Completion of ipvsadm for bash. Made by 'ipvsadm completion bash'.

_ipvsadm() {
	local line answer
	COMPREPLY=()
	answer=$(
		PATH=$PATH:${ELSEWHERE}
		command ipvsadm ${CALL_BACK} bash "\${COMP_LINE:0:COMP_POINT}" "\${COMP_LINE:COMP_POINT}" "$COMP_WORDBREAKS" \\
			2>/dev/null </dev/null
	)
	while IFS= read -r line; do
		case $line in
		"") ;;
		:files) compopt -o default ;;
		*) COMPREPLY+=("$line") ;;
		esac
	done <<<"$answer"
}

complete -o nosort -F _ipvsadm ipvsadm 2>/dev/null || complete -F _ipvsadm ipvsadm
`;

const ZSH = `#compdef ipvsadm
# Completion of ipvsadm for zsh. Made by 'ipvsadm completion zsh'.

_ipvsadm() {
	local line value answer
	local -a before after shown
	before=("\${(@Q)words[1,CURRENT-1]}")
	(( CURRENT < $#words )) && after=("\${(@Q)words[CURRENT+1,-1]}")
	answer=$(
		PATH=$PATH:${ELSEWHERE}
		command ipvsadm ${CALL_BACK} zsh $#before "\${before[@]}" "\${(Q)PREFIX}" "\${after[@]}" 2>/dev/null </dev/null
	)
	for line in "\${(@f)answer}"; do
		case $line in
		"") ;;
		:files) _files && return ;;
		*)
			value=\${line%%$'\\t'*}
			shown+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
			;;
		esac
	done
	(( $#shown )) && _describe -V ipvsadm shown
}

if [[ $funcstack[1] == _ipvsadm ]]; then
	_ipvsadm "$@"
elif (( $+functions[compdef] )); then
	compdef _ipvsadm ipvsadm
else
	print -u2 "ipvsadm: completion needs 'autoload -Uz compinit && compinit' before this script"
fi
`;

const FISH = `# Completion of ipvsadm for fish. Made by 'ipvsadm completion fish'.

function __ipvsadm_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l all (commandline -op)
    set -l next (math (count $before) + 1)
    set -l after
    set -l token (commandline -t)
    test -n "$token"; and set next (math $next + 1)
    test (count $all) -ge $next; and set after $all[$next..-1]
    set -lx PATH $PATH ${ELSEWHERE.replaceAll(":", " ")}
    for line in (command ipvsadm ${CALL_BACK} fish (count $before) $before "$current" $after 2>/dev/null </dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            printf '%s\\n' "$line"
        end
    end
end

complete -c ipvsadm -f -k -a '(__ipvsadm_complete)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: BASH,
  zsh: ZSH,
  fish: FISH,
};

/** The script by which a shell completes command lines of ours. */
export function scriptFor(shell: Shell): string {
  return SCRIPTS[shell];
}
