# Completion of ipvsadm for bash. Made by 'ipvsadm completion bash'.

_ipvsadm() {
	local line answer
	COMPREPLY=()
	answer=$(
		PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
		command ipvsadm complete bash "${COMP_LINE:0:COMP_POINT}" "${COMP_LINE:COMP_POINT}" "$COMP_WORDBREAKS" \
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
