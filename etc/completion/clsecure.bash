# bash completion for clsecure(1): clsecure itself knows what could follow.
_clsecure()
{
	local IFS=$'\n'

	COMPREPLY=()
	[[ ${COMP_WORDS[COMP_CWORD - 1]} != = ]] || return 0 # bash splits KEY=VALUE at the =
	COMPREPLY=($(clsecure __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
	return 0
}
complete -o default -F _clsecure clsecure
